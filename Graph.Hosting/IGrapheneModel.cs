namespace Graphene.Hosting;

/// <summary>A model of the service: gives out its present version, which is replaced while requests are served.</summary>
/// <remarks>
/// Thread-safe. <c>services.AddGrapheneModel</c> registers one for each model; services have it injected. Whoever tests a service
/// writes another, around a model of the test.
/// </remarks>
/// <typeparam name="TModel">
/// A generated class, or <see cref="Graphene.Runtime.CompiledGraph"/>; used by any number of requests at a time.
/// </typeparam>
public interface IGrapheneModel<TModel>
    where TModel : class, IDisposable
{
    /// <summary>The name of the model.</summary>
    string Name { get; }

    /// <summary>The version that the next lease will be of; null until one is loaded.</summary>
    ModelVersion? Version { get; }

    /// <summary>Holds the present version: it is the same model, and stays loaded, until the lease is disposed.</summary>
    /// <remarks>
    /// Allocates nothing. A lease counts as one run: from here to its end is the time that metrics and traces show. Hold it for
    /// one request; an old version is kept in memory for as long as somebody holds it.
    /// </remarks>
    /// <exception cref="GraphException">GR8002: no version is loaded yet.</exception>
    /// <exception cref="ObjectDisposedException">The service has stopped.</exception>
    ModelLease<TModel> Acquire();
}
