using Graphene.Runtime;

namespace Graphene.Hosting;

/// <summary>What was said about a model while services were registered; found again by its name.</summary>
internal abstract class ModelRegistration(string name)
{
    /// <summary>The name of the model, of its options, and of its key.</summary>
    public string Name => name;
}

/// <summary>The part that knows the class of the model.</summary>
internal sealed class ModelRegistration<TModel>(string name, Func<CompiledGraph, TModel> create) : ModelRegistration(name)
    where TModel : class, IDisposable
{
    /// <summary>Makes the model from a bundle.</summary>
    public Func<CompiledGraph, TModel> Create => create;

    /// <summary>What each version runs before it answers requests.</summary>
    public List<Action<TModel>> Samples { get; } = [];
}
