using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>Where compiled code enters when it calls its host.</summary>
internal static unsafe class HostCallEntry
{
    /// <summary>The address for <see cref="NativeContext.HostCall"/>.</summary>
    public static delegate* unmanaged[Cdecl]<NativeContext*, long, void**, void> Address => &Enter;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Enter(NativeContext* context, long id, void** arguments) =>
        Unsafe.As<RunFrame>(GCHandle.FromIntPtr((nint)context->Host).Target!).HandleHostCall(id, arguments);
}
