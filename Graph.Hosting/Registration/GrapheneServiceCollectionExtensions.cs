using Graphene;
using Graphene.Hosting;
using Graphene.Runtime;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds compiled models to the services of an application.</summary>
public static class GrapheneServiceCollectionExtensions
{
    private const string UntypedName = "model";

    /// <summary>Adds a model: loaded and warmed up when the host starts, injected as <see cref="IGrapheneModel{TModel}"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">
    /// The name by which one of several models of a class is told apart: it is then injected with
    /// <c>[FromKeyedServices(name)]</c>. Without it the model is the only one of its class, and is named like it.
    /// </param>
    /// <exception cref="GraphException">GR8005: a model of another class has that name.</exception>
    public static GrapheneModelBuilder<TModel> AddGrapheneModel<TModel>(this IServiceCollection services, string? name = null)
        where TModel : class, ICompiledModel<TModel> => ModelServices.Add(
            services, name, name ?? typeof(TModel).Name, TModel.Create, TModel.BundleName);

    /// <summary>
    /// Adds a model without a class of its own: injected as <see cref="IGrapheneModel{TModel}"/> of
    /// <see cref="CompiledGraph"/>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">As for a model with a class; "model" if there is none.</param>
    /// <exception cref="GraphException">GR8005: a model with a class has that name.</exception>
    public static GrapheneModelBuilder<CompiledGraph> AddGrapheneModel(this IServiceCollection services, string? name = null) =>
        ModelServices.Add(services, name, name ?? UntypedName, static graph => graph, null);
}
