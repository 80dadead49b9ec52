using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>What an executable for a GPU has instead of an entry function: its kernels, and the steps that start them, as data.</summary>
/// <remarks>
/// Buffers are those of the <see cref="ExecutablePlan"/>, in memory of the device; every one begins at a multiple of 64 bytes. The plan's
/// objects are the code of the kernels.
/// </remarks>
public sealed record GpuPlan
{
    /// <summary>
    /// The <see cref="ExecutablePlan.TargetTriple"/> of executables for GPUs; their features are the
    /// target: <c>sm_90a</c>.
    /// </summary>
    public const string Triple = "nvptx64-nvidia-cuda";

    /// <summary>The <see cref="ExecutablePlan.EntrySymbol"/> of executables for GPUs: there is no such function.</summary>
    public const string Entry = "steps";

    /// <summary>The form of the objects.</summary>
    public required GpuCodeForm Form { get; init; }

    /// <summary>The distinct kernels.</summary>
    public ImmutableArray<GpuKernel> Kernels { get; init; } = [];

    /// <summary>What a run does, in order.</summary>
    public ImmutableArray<GpuStep> Steps { get; init; } = [];
}

/// <summary>A kernel of a plan.</summary>
/// <param name="Name">Its name in the code.</param>
/// <param name="Object">Which of the executable's objects it is in.</param>
/// <param name="Threads">The threads of a task.</param>
/// <param name="SharedBytes">Shared memory that a task is given when the kernel starts, besides what the code itself declares.</param>
/// <param name="Parameters">What it is passed, in order.</param>
public sealed record GpuKernel(string Name, int Object, int Threads, int SharedBytes, ImmutableArray<GpuParameter> Parameters)
{
    /// <summary>The most parameters: 4 KiB of them, which every GPU takes.</summary>
    public const int MostParameters = 512;
}

/// <summary>What a kernel is passed; the values are part of the file format.</summary>
public enum GpuParameter
{
    /// <summary>The address of memory that it reads.</summary>
    Read = 0,

    /// <summary>The address of memory that it may write.</summary>
    Write = 1,

    /// <summary>A number of 64 bits.</summary>
    Number = 2,

    /// <summary>A tensor map; these come last.</summary>
    TensorMap = 3,
}

/// <summary>An argument of a start: a buffer of the plan, or a number.</summary>
/// <param name="Buffer">The buffer whose address is passed; -1 for a number, or for an address that nobody reads.</param>
/// <param name="Number">The number; 0 for addresses.</param>
public sealed record GpuArgument(int Buffer, Dim Number)
{
    /// <summary>A buffer's address.</summary>
    public static GpuArgument Of(int buffer) => new(buffer, 0);

    /// <summary>A number.</summary>
    public static GpuArgument Of(Dim number) => new(-1, number);
}

/// <summary>A step of a plan.</summary>
public abstract record GpuStep
{
    private GpuStep()
    {
    }

    /// <summary>Starts a kernel.</summary>
    /// <param name="Kernel">Which.</param>
    /// <param name="Tasks">How many tasks it has: the blocks of its grid. None: nothing happens.</param>
    /// <param name="Arguments">One for each parameter but the tensor maps.</param>
    /// <param name="Call">The call that it belongs to in <see cref="ExecutablePlan.Kernels"/>, for profiles.</param>
    public sealed record Launch(int Kernel, Dim Tasks, ImmutableArray<GpuArgument> Arguments, int Call) : GpuStep
    {
        /// <summary>The tensor maps that it is passed behind its arguments.</summary>
        public ImmutableArray<GpuTensorMap> Maps { get; init; } = [];
    }

    /// <summary>Starts kernels that do not wait for each other.</summary>
    /// <param name="Members">The starts.</param>
    public sealed record SideBySide(ImmutableArray<Launch> Members) : GpuStep;

    /// <summary>Copies between buffers that do not overlap.</summary>
    /// <param name="From">The source.</param>
    /// <param name="To">The destination.</param>
    /// <param name="SizeInBytes">How many.</param>
    public sealed record Copy(int From, int To, Dim SizeInBytes) : GpuStep;

    /// <summary>Repeats steps while a bool in memory, computed before each round, holds.</summary>
    /// <param name="Condition">Computes the predicate.</param>
    /// <param name="Predicate">Where it lies.</param>
    /// <param name="Body">One round.</param>
    public sealed record Loop(ImmutableArray<GpuStep> Condition, int Predicate, ImmutableArray<GpuStep> Body) : GpuStep;

    /// <summary>Runs one of several lists of steps.</summary>
    /// <param name="Selector">Where the choice lies.</param>
    /// <param name="IsBool">True for a bool, which chooses the first branch when it holds; false for an i32.</param>
    /// <param name="Branches">At least one; a choice that is out of range is the last.</param>
    public sealed record Branch(int Selector, bool IsBool, ImmutableArray<GpuBranch> Branches) : GpuStep;

    /// <summary>Asks the host.</summary>
    /// <param name="Id">Which of <see cref="ExecutablePlan.HostCalls"/>.</param>
    /// <param name="Arguments">The buffers whose values it gets.</param>
    public sealed record HostCall(int Id, ImmutableArray<GpuArgument> Arguments) : GpuStep;
}

/// <summary>The steps of one branch.</summary>
/// <param name="Steps">In order.</param>
public sealed record GpuBranch(ImmutableArray<GpuStep> Steps);
