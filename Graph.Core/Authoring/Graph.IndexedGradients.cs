using System.Runtime.CompilerServices;

namespace Graphene;

/// <content>Gradients of tables of which few rows are used.</content>
public sealed partial class Graph
{
    /// <summary>The gradient of a loss with respect to a table that is only read by <see cref="Tensor.Gather"/> along axis 0.</summary>
    /// <returns>The rows that were read; null when the table is used in any other way, so that its gradient is dense.</returns>
    /// <exception cref="GraphException">GR1602: the loss does not depend on the variable.</exception>
    public IndexedSlices? IndexedGradient(
        Tensor loss, Variable table, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        GradientSources sources = Sources(new CallSite(file, line), [loss], [], [table]);
        Node gradient = Reverse(sources, null, null)[0] ?? throw sources.Unconnected(0);
        return IndexedSlices.Find(sources.Builder, gradient) is var (indices, values)
            ? new IndexedSlices(this, Wrap(indices), Wrap(values), table.Type)
            : null;
    }
}
