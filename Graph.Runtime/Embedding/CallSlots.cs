using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Graphene.Runtime;

/// <summary>References to the memory of a call's inputs and outputs: what a span refers to, kept without pinning it.</summary>
/// <remarks>Fields, because references can be kept in nothing else. The collector follows them.</remarks>
internal ref struct CallSlots
{
    /// <summary>How many there are.</summary>
    public const int Count = 16;

    private ref byte _0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15;

    /// <summary>Keeps a reference.</summary>
    /// <param name="slot">Where.</param>
    /// <param name="memory">A span that begins there; references to what is behind a span may be kept, others may not.</param>
    public void Set(int slot, ReadOnlySpan<byte> memory)
    {
        ref byte start = ref MemoryMarshal.GetReference(memory);
        switch (slot)
        {
            case 0: _0 = ref start; break;
            case 1: _1 = ref start; break;
            case 2: _2 = ref start; break;
            case 3: _3 = ref start; break;
            case 4: _4 = ref start; break;
            case 5: _5 = ref start; break;
            case 6: _6 = ref start; break;
            case 7: _7 = ref start; break;
            case 8: _8 = ref start; break;
            case 9: _9 = ref start; break;
            case 10: _10 = ref start; break;
            case 11: _11 = ref start; break;
            case 12: _12 = ref start; break;
            case 13: _13 = ref start; break;
            case 14: _14 = ref start; break;
            default: _15 = ref start; break;
        }
    }

    /// <summary>A reference that was kept; a null reference when none was.</summary>
    public readonly ref byte At(int slot)
    {
        switch (slot)
        {
            case 0: return ref _0;
            case 1: return ref _1;
            case 2: return ref _2;
            case 3: return ref _3;
            case 4: return ref _4;
            case 5: return ref _5;
            case 6: return ref _6;
            case 7: return ref _7;
            case 8: return ref _8;
            case 9: return ref _9;
            case 10: return ref _10;
            case 11: return ref _11;
            case 12: return ref _12;
            case 13: return ref _13;
            case 14: return ref _14;
            default: return ref _15;
        }
    }
}

/// <summary>The number of elements behind each of the <see cref="CallSlots"/>; one less than zero where nothing was given.</summary>
[InlineArray(CallSlots.Count)]
internal struct SlotLengths
{
    private int _first;
}
