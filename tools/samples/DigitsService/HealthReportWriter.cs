using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Graphene.Samples.DigitsService;

/// <summary>The state of the service.</summary>
/// <param name="Status">Healthy, Degraded or Unhealthy.</param>
/// <param name="Checks">What each check says.</param>
public sealed record HealthReply(string Status, IReadOnlyDictionary<string, string?> Checks);

/// <summary>Writes what the health checks found as JSON.</summary>
internal static class HealthReportWriter
{
    /// <summary>Writes it.</summary>
    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        var reply = new HealthReply(
            report.Status.ToString(), report.Entries.ToDictionary(e => e.Key, e => e.Value.Description));
        return JsonSerializer.SerializeAsync(
            context.Response.Body, reply, DigitsJson.Default.HealthReply, context.RequestAborted);
    }
}
