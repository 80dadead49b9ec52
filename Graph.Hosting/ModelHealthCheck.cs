using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Graphene.Hosting;

/// <summary>Healthy when the present version is the one in the file, degraded when the file was not taken, else not ready.</summary>
internal sealed class ModelHealthCheck(IObservedModel model) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check(context));

    private HealthCheckResult Check(HealthCheckContext context)
    {
        if (model.Version is not { } version)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, $"model '{model.Name}' is not loaded yet");
        }
        var data = new Dictionary<string, object>
        {
            ["model"] = version.Model,
            ["version"] = version.ShortHash,
            ["number"] = version.Number,
            ["loadedAt"] = version.LoadedAt,
        };
        if (model.LastFailure is not { } failure)
        {
            return HealthCheckResult.Healthy($"model '{model.Name}' answers with version {version}", data);
        }
        data["failedAt"] = failure.At;
        data["error"] = ErrorName.Of(failure.Error);
        return HealthCheckResult.Degraded(
            $"model '{model.Name}' answers with version {version}; the changed file is not taken: {failure.Error.Message}",
            failure.Error, data);
    }
}
