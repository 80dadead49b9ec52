using System.Runtime.InteropServices;
using Graphene.Runtime.Interop;

namespace Graphene.Runtime.Threads;

/// <summary>A gate on one Linux futex: a release is one atomic add and one system call, however many threads it
/// wakes.</summary>
internal sealed unsafe class FutexGate : Gate
{
    // In native memory because the kernel needs an address that stays; a cache line of its own.
    private int* _permits = (int*)NativeMemory.AlignedAlloc(64, 64);

    public FutexGate() => *_permits = 0;

    public static bool IsSupported => Libc.HasFutex;

    public override void Wait()
    {
        while (true)
        {
            int permits = Volatile.Read(ref *_permits);
            if (permits == 0)
            {
                Libc.FutexWait(_permits, 0);
            }
            else if (Interlocked.CompareExchange(ref *_permits, permits - 1, permits) == permits)
            {
                return;
            }
        }
    }

    public override void Release(int permits)
    {
        Interlocked.Add(ref *_permits, permits);
        Libc.FutexWake(_permits, permits);
    }

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_permits);
        _permits = null;
    }
}
