namespace Graphene.Codegen;

/// <summary>A native function over buffers: runs its body for every task of a range. Knows no graph, only arguments.</summary>
/// <param name="Name">For symbols, dumps and profiles; not part of its structure.</param>
/// <param name="Arguments">The buffers, argument i at place i.</param>
/// <param name="Task">The number of the task, bound in <paramref name="Body"/>.</param>
/// <param name="TaskCount">How many tasks there are; scalar i64 over symbols and constants. Tasks are independent.</param>
/// <param name="Body">One task.</param>
/// <param name="Cost">What one whole run costs, for splitting and reports.</param>
public sealed record Kernel(
    string Name, IReadOnlyList<KBuffer> Arguments, KVariable Task, KExpr TaskCount, KBlock Body, KernelCost Cost)
{
    /// <summary>
    /// Symbols of the kernel's own, whose values its caller passes behind the buffers: one body for many sizes. The values of all others
    /// are the run's.
    /// </summary>
    public IReadOnlyList<DimSymbol> Sizes { get; init; } = [];

    /// <summary>Arguments as tensors of which boxes are copied; passed behind everything else.</summary>
    public IReadOnlyList<KTensorMap> Maps { get; init; } = [];

    /// <summary>The threads that run a task together, each of them the whole body; null where a task is one thread.</summary>
    public KThreads? Threads { get; init; }

    /// <summary>
    /// How many calls one start does: it is passed the number of each call's first task, then the arguments of
    /// each call, and a task finds out which call it belongs to. Only where a task is many threads; the body
    /// knows nothing of it.
    /// </summary>
    public int Members { get; init; } = 1;
}

/// <summary>The work of one run of a kernel, as far as it is known when compiling.</summary>
/// <param name="Flops">Floating-point operations; a multiply-add counts two.</param>
/// <param name="Bytes">Bytes read and written, each buffer once.</param>
public readonly record struct KernelCost(Dim Flops, Dim Bytes);
