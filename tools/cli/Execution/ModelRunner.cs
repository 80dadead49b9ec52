using Graphene.Cli.Models;

namespace Graphene.Cli.Execution;

/// <summary>A model on a device.</summary>
internal interface IModelRunner : IDisposable
{
    /// <summary>Runs the model once.</summary>
    /// <param name="inputs">One value for each input; they fit the model.</param>
    /// <returns>One value for each output.</returns>
    IReadOnlyList<Literal> Run(IReadOnlyList<Literal> inputs);
}

/// <summary>The reference evaluator: slow and obvious, op by op.</summary>
internal sealed class ReferenceRunner(LoadedModel model) : IModelRunner
{
    /// <inheritdoc/>
    public IReadOnlyList<Literal> Run(IReadOnlyList<Literal> inputs)
    {
        IReadOnlyDictionary<string, long> dims = SymbolBinding.Bind(model, inputs);
        Module program = dims.Count == 0 ? model.Module : Specialization.Apply(model.Module, dims);
        return Evaluator.Evaluate(program.Entry, inputs);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
