using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Graphene.Samples.DigitsService;

/// <summary>The page to draw on, the description of the operations, and the metrics.</summary>
internal static class PageEndpoints
{
    /// <summary>Adds them.</summary>
    public static void MapPages(this IEndpointRouteBuilder app)
    {
        byte[] page = Resource("index.html");
        byte[] description = Resource("openapi.json");
        app.MapGet("/", (HttpResponse response) =>
        {
            response.Headers.ContentSecurityPolicy =
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'";
            return TypedResults.Bytes(page, "text/html; charset=utf-8");
        });
        app.MapGet("/openapi.json", () => TypedResults.Bytes(description, "application/json"));
        app.MapGet("/metrics", (MetricsPage metrics) => TypedResults.Text(metrics.ToString(), "text/plain; version=0.0.4"));
    }

    private static byte[] Resource(string name)
    {
        using Stream stream = typeof(PageEndpoints).Assembly.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
