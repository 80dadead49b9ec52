using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>Takes the kernels of one compilation: what becomes of them is for the machine's own library to know.</summary>
internal interface IKernelLibrary
{
    /// <summary>One entry per call that was added, in order.</summary>
    IReadOnlyList<KernelSpec> Specs { get; }

    /// <summary>Notes a call, for profiles.</summary>
    /// <param name="name">The symbol of the kernel, or a name for several that are called as one.</param>
    /// <param name="source">The ops it does.</param>
    /// <param name="cost">What it costs.</param>
    void AddCall(string name, string source, KernelCost cost);

    /// <summary>The symbol under which a kernel will be found, and how it is called.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="calls">How many calls of it do not wait for each other; a machine may start them as one.</param>
    KernelReference Add(Kernel kernel, int calls);
}

/// <summary>A kernel of a library.</summary>
/// <param name="Symbol">Its function.</param>
/// <param name="RunSymbols">
/// Symbols of the run whose values its caller passes behind its sizes; none where code finds them by itself.
/// </param>
internal readonly record struct KernelReference(string Symbol, IReadOnlyList<DimSymbol> RunSymbols);
