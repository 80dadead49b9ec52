using System.Runtime.CompilerServices;

namespace Graphene.Codegen;

/// <summary>Reads elements: consecutive ones from one index on, or one for each index.</summary>
/// <typeparam name="T">Bits as wide as an element.</typeparam>
/// <param name="result">What is read; uniform when everything else is.</param>
/// <param name="buffer">The number of the buffer.</param>
/// <param name="index">One index, or one for each lane.</param>
/// <param name="mask">A flag per lane; null for all.</param>
/// <param name="otherwise">The value of lanes that are off; null for zero.</param>
/// <param name="alignment">What the index must be a multiple of.</param>
internal sealed class LoadStep<T>(
    SimtSlot result, int buffer, SimtSlot index, SimtSlot? mask, SimtSlot? otherwise, int alignment) : SimtStep
    where T : unmanaged
{
    private const int SettledBits = 6;

    private readonly bool _isBool = result.Type.Element == DType.Bool;

    // Loops of a kernel run here: waiting for the runtime to find out costs more.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SimtBlock block)
    {
        SimtMemory memory = block.Memory(buffer);
        ReadOnlySpan<T> contents = memory.Contents<T>();
        Span<T> r = block.Values<T>(result);
        ReadOnlySpan<long> indices = block.Values<long>(index);
        ReadOnlySpan<byte> flags = mask is { } m ? block.Values<byte>(m) : default;
        ReadOnlySpan<T> others = otherwise is { } o ? block.Values<T>(o) : default;
        SimtMask active = block.Active;
        bool isSpread = index.Type.Lanes > 1;
        // A value for all threads is read by each of them, which matters where somebody writes: the first and the last stand for all
        // when they are of two warps, since what is in order with both is in order with any.
        int end = result.IsUniform && !memory.IsWatched ? active.Low + 1 : active.High;
        bool areTwoWarps = active.Low / KThreads.WarpSize != (active.High - 1) / KThreads.WarpSize;
        int by = result.IsUniform && areTwoWarps ? active.Reach - 1 : 1;
        int lanes = result.Type.Lanes;
        // Threads often read what others of this step did, and where that changed nothing once it does not again.
        Span<long> settled = stackalloc long[1 << SettledBits];
        settled.Fill(long.MinValue); // which nobody reads without an error
        for (int t = active.Low; t < end; t += by)
        {
            if (!active[t])
            {
                continue;
            }
            (int at, int width) = result.IsUniform ? (0, 1) : (t, block.Threads);
            long first = indices[at];
            long start = memory.Start(t);
            ref long known = ref settled[Place(first)];
            if (alignment > 1 && known != first && first % alignment != 0)
            {
                throw block.Bug($"thread {t} reads from element {first} of {memory.Buffer} on, which is no multiple of {alignment}");
            }
            if (mask is null && !isSpread)
            {
                if (known != first && memory.Read(block, first, lanes, t))
                {
                    known = first;
                }
                ReadOnlySpan<T> found = contents.Slice((int)(start + first), lanes);
                for (int lane = 0; lane < found.Length; lane++)
                {
                    r[(lane * width) + at] = found[lane];
                }
                continue;
            }
            for (int lane = 0; lane < lanes; lane++)
            {
                int element = (lane * width) + at;
                if (mask is not null && flags[element] == 0)
                {
                    r[element] = otherwise is null ? default : others[element];
                    continue;
                }
                long place = isSpread ? indices[element] : first + lane;
                memory.Read(block, place, 1, t);
                r[element] = contents[(int)(start + place)];
            }
        }
        if (_isBool)
        {
            foreach (ref byte b in block.Values<byte>(result))
            {
                b = b != 0 ? (byte)1 : (byte)0;
            }
        }
    }

    // Indices go in steps of any size.
    private static int Place(long index) => (int)(unchecked((ulong)index * 0x9E3779B97F4A7C15) >> (64 - SettledBits));
}

/// <summary>Writes elements: consecutive ones from one index on, or one for each index.</summary>
/// <typeparam name="T">Bits as wide as an element.</typeparam>
/// <param name="buffer">The number of the buffer.</param>
/// <param name="index">One index, or one for each lane; of each thread.</param>
/// <param name="value">The lanes; of each thread.</param>
/// <param name="mask">A flag per lane; null for all.</param>
/// <param name="alignment">What the index must be a multiple of.</param>
internal sealed class StoreStep<T>(int buffer, SimtSlot index, SimtSlot value, SimtSlot? mask, int alignment) : SimtStep
    where T : unmanaged
{
    // Loops of a kernel run here: waiting for the runtime to find out costs more.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Run(SimtBlock block)
    {
        SimtMemory memory = block.Memory(buffer);
        Span<T> contents = memory.Contents<T>();
        ReadOnlySpan<T> x = block.Values<T>(value);
        ReadOnlySpan<long> indices = block.Values<long>(index);
        ReadOnlySpan<byte> flags = mask is { } m ? block.Values<byte>(m) : default;
        SimtMask active = block.Active;
        int width = block.Threads;
        int lanes = value.Type.Lanes;
        bool isSpread = index.Type.Lanes > 1;
        for (int t = active.Low; t < active.High; t++)
        {
            if (!active[t])
            {
                continue;
            }
            long first = indices[t];
            long start = memory.Start(t);
            if (alignment > 1 && first % alignment != 0)
            {
                throw block.Bug($"thread {t} writes from element {first} of {memory.Buffer} on, which is no multiple of {alignment}");
            }
            if (mask is null && !isSpread)
            {
                memory.Write(block, first, lanes, t);
                for (int lane = 0; lane < lanes; lane++)
                {
                    contents[(int)(start + first + lane)] = x[(lane * width) + t];
                }
                continue;
            }
            for (int lane = 0; lane < lanes; lane++)
            {
                int element = (lane * width) + t;
                if (mask is not null && flags[element] == 0)
                {
                    continue;
                }
                long place = isSpread ? indices[element] : first + lane;
                memory.Write(block, place, 1, t);
                contents[(int)(start + place)] = x[element];
            }
        }
    }
}

/// <summary>Makes scratch of the active threads undefined.</summary>
internal sealed class ScratchStep(int buffer) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        for (int t = block.Active.Low; t < block.Active.High; t++)
        {
            if (block.Active[t])
            {
                block.Memory(buffer).Clear(t);
            }
        }
    }
}
