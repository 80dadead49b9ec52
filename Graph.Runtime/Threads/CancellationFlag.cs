using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>The int in native memory that compiled code polls, connected to a <see cref="CancellationToken"/> for a
/// run.</summary>
/// <remarks>One per run in progress; kept and used again. Nothing is allocated for a token that cannot be
/// cancelled.</remarks>
public sealed unsafe class CancellationFlag : SafeHandle
{
    private static readonly Action<object?> _raise = static flag => ((CancellationFlag)flag!).Raise();

    /// <summary>Creates a flag that is down.</summary>
    public CancellationFlag()
        : base(0, ownsHandle: true)
    {
        // A line of its own: compiled code reads it in loops on every thread.
        SetHandle((nint)NativeMemory.AlignedAlloc(64, 64));
        *Pointer = 0;
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>The address for <see cref="NativeContext.Cancel"/>.</summary>
    public int* Pointer => (int*)handle;

    /// <summary>Whether the run has been asked to stop.</summary>
    public bool IsRaised => Volatile.Read(ref *Pointer) != 0;

    /// <summary>Asks the run to stop.</summary>
    public void Raise() => Volatile.Write(ref *Pointer, 1);

    /// <summary>Lowers the flag and lets the token raise it.</summary>
    /// <param name="token">Raises the flag when cancelled, at once if it is already.</param>
    /// <returns>
    /// What ends the connection. After its disposal the token cannot raise the flag any more, so the flag can serve
    /// another run.
    /// </returns>
    public CancellationTokenRegistration Connect(CancellationToken token)
    {
        Volatile.Write(ref *Pointer, 0);
        return token.CanBeCanceled ? token.UnsafeRegister(_raise, this) : default;
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
