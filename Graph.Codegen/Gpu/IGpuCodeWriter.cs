using System.Collections.Immutable;
using Graphene.Runtime;

namespace Graphene.Codegen;

/// <summary>Makes code of kernels with threads, in one of the forms that devices take.</summary>
internal interface IGpuCodeWriter : IDisposable
{
    /// <summary>The form.</summary>
    GpuCodeForm Form { get; }

    /// <summary>Adds a kernel, unless an equal one is there.</summary>
    GpuEntry Add(Kernel kernel);

    /// <summary>The code of all kernels; entries name their objects.</summary>
    IReadOnlyList<ObjectCode> Finish();
}

/// <summary>A kernel in code, and how it is started: with its buffers, its sizes, and values of the run's symbols, in this order.</summary>
/// <param name="Name">Its name in the code.</param>
/// <param name="Object">The object that it is in.</param>
/// <param name="Threads">The threads of a task.</param>
/// <param name="SharedBytes">Shared memory that a start must state.</param>
/// <param name="RunSymbols">The symbols of the run that it is passed, as the kernel that was added calls them.</param>
internal sealed record GpuEntry(string Name, int Object, int Threads, int SharedBytes, ImmutableArray<DimSymbol> RunSymbols);
