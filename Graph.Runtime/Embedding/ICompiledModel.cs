namespace Graphene.Runtime;

/// <summary>A typed class over a compiled graph, as the build generates it for each <c>GrapheneModel</c> item.</summary>
/// <remarks>What hosts models (dependency injection, reload) knows them by this alone.</remarks>
/// <typeparam name="TSelf">The class itself.</typeparam>
public interface ICompiledModel<TSelf> : IDisposable
    where TSelf : class, ICompiledModel<TSelf>
{
    /// <summary>The file name of the bundle that was compiled with the class; it lies beside the assembly.</summary>
    static abstract string BundleName { get; }

    /// <summary>Wraps a loaded bundle, which belongs to the model from here on.</summary>
    /// <param name="graph">The bundle.</param>
    /// <exception cref="GraphException">Its inputs or outputs are not those that the class was generated for.</exception>
    static abstract TSelf Create(CompiledGraph graph);
}
