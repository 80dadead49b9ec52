using Graphene.Hosting;
using Graphene.Runtime;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds health checks of models.</summary>
public static class GrapheneHealthChecksBuilderExtensions
{
    private const string UntypedName = "model";

    /// <summary>Adds the check of a model: unhealthy until a version is loaded, degraded when a changed file is not taken.</summary>
    /// <param name="builder">The checks.</param>
    /// <param name="name">The name of the model, as it was added.</param>
    /// <param name="failureStatus">What a model that is not loaded means; unhealthy if null.</param>
    /// <param name="tags">Tags of the check, for instance "ready".</param>
    public static IHealthChecksBuilder AddGrapheneModel<TModel>(
        this IHealthChecksBuilder builder, string? name = null, HealthStatus? failureStatus = null, params string[] tags)
        where TModel : class, ICompiledModel<TModel> => Add<TModel>(builder, name ?? typeof(TModel).Name, failureStatus, tags);

    /// <summary>Adds the check of a model without a class of its own.</summary>
    /// <inheritdoc cref="AddGrapheneModel{TModel}"/>
    public static IHealthChecksBuilder AddGrapheneModel(
        this IHealthChecksBuilder builder, string? name = null, HealthStatus? failureStatus = null, params string[] tags) =>
        Add<CompiledGraph>(builder, name ?? UntypedName, failureStatus, tags);

    private static IHealthChecksBuilder Add<TModel>(
        IHealthChecksBuilder builder, string model, HealthStatus? failureStatus, string[] tags)
        where TModel : class, IDisposable
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            model, provider => new ModelHealthCheck(provider.GetRequiredKeyedService<ModelHost<TModel>>(model)), failureStatus, tags));
    }
}
