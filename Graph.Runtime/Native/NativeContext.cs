using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>What one run of compiled code sees of its host: the C struct <c>GrapheneContext</c>, field for
/// field.</summary>
/// <remarks>
/// The layout is the ABI between the runtime and every compiled graph, cached or ahead of time, on 64-bit targets: a
/// change
/// here is a change of the executable format's version. Fields are public because native code writes them, too.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct NativeContext
{
    /// <summary>Offset 0: one pointer per buffer of the plan, in plan order.</summary>
    public void** Buffers;

    /// <summary>Offset 8: the values of the plan's symbolic dimensions, in plan order.</summary>
    public long* Symbols;

    /// <summary>Offset 16: <c>parallel_for(context, kernel, args, tasks)</c>; returns when every task is
    /// done.</summary>
    public delegate* unmanaged[Cdecl]<
        NativeContext*,
        delegate* unmanaged[Cdecl]<NativeContext*, void**, long, long, void>,
        void**,
        long,
        void> ParallelFor;

    /// <summary>Offset 24: opaque to compiled code; identifies the pool to <see cref="ParallelFor"/>.</summary>
    public void* Pool;

    /// <summary>Offset 32: points to an int that becomes non-zero when the run should stop soon.</summary>
    public int* Cancel;

    /// <summary>Offset 40: how many threads, the caller's included, may work on this run; 1 means no
    /// parallel_for.</summary>
    public int Threads;

    /// <summary>Offset 44: a <see cref="NativeError"/>.</summary>
    public NativeError Error;

    /// <summary>Offset 48: which check failed, when <see cref="Error"/> says that one did.</summary>
    public long ErrorDetail;

    /// <summary>Offset 56: <c>host_call(context, id, args)</c>: prints, assertions, custom calls.</summary>
    public delegate* unmanaged[Cdecl]<NativeContext*, long, void**, void> HostCall;

    /// <summary>Offset 64: opaque to compiled code; identifies the host of <see cref="HostCall"/>.</summary>
    public void* Host;
}
