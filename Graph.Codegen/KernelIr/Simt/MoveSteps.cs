namespace Graphene.Codegen;

/// <summary>Gives a value that is the same for all threads to each of them.</summary>
internal sealed class SpreadStep<T>(SimtSlot result, SimtSlot value) : SimtStep
    where T : unmanaged
{
    public override void Run(SimtBlock block)
    {
        ReadOnlySpan<T> x = block.Values<T>(value);
        (int low, int reach) = (block.Active.Low, block.Active.Reach);
        for (int lane = 0; lane < x.Length; lane++)
        {
            block.Lane<T>(result, lane).Slice(low, reach).Fill(x[lane]);
        }
    }
}

/// <summary>Makes lanes of lanes of other values: broadcast, shuffle, join and copy.</summary>
/// <param name="result">The value; uniform when its sources are.</param>
/// <param name="sources">The value and the lane of it for each lane.</param>
internal sealed class LanesStep<T>(SimtSlot result, (SimtSlot Slot, int Lane)[] sources) : SimtStep
    where T : unmanaged
{
    public override void Run(SimtBlock block)
    {
        int width = result.IsUniform ? 1 : block.Threads;
        (int low, int reach) = result.IsUniform ? (0, 1) : (block.Active.Low, block.Active.Reach);
        for (int lane = 0; lane < sources.Length; lane++)
        {
            (SimtSlot from, int at) = sources[lane];
            block.Values<T>(from, (at * width) + low, reach).CopyTo(block.Values<T>(result, (lane * width) + low, reach));
        }
    }
}

/// <summary>Sets a register for the active threads.</summary>
internal sealed class AssignStep<T>(SimtSlot register, SimtSlot value) : SimtStep
    where T : unmanaged
{
    public override void Run(SimtBlock block)
    {
        SimtMask active = block.Active;
        if (register.IsUniform || active.IsAll)
        {
            block.Values<T>(value).CopyTo(block.Values<T>(register));
            return;
        }
        for (int lane = 0; lane < register.Type.Lanes; lane++)
        {
            Span<T> to = block.Lane<T>(register, lane);
            ReadOnlySpan<T> from = block.Lane<T>(value, lane);
            if (active.IsSolid)
            {
                from.Slice(active.Low, active.Reach).CopyTo(to[active.Low..]);
                continue;
            }
            for (int t = active.Low; t < active.High; t++)
            {
                if (active[t])
                {
                    to[t] = from[t];
                }
            }
        }
    }
}

/// <summary>One of two values, element by element.</summary>
internal sealed class SelectStep<T>(SimtSlot result, SimtSlot condition, SimtSlot whenTrue, SimtSlot whenFalse) : ElementwiseStep(result)
    where T : unmanaged
{
    protected override void Apply(SimtBlock block, int start, int count)
    {
        Span<T> r = block.Values<T>(Result, start, count);
        ReadOnlySpan<byte> c = block.Values<byte>(condition, start, count);
        ReadOnlySpan<T> a = block.Values<T>(whenTrue, start, count);
        ReadOnlySpan<T> b = block.Values<T>(whenFalse, start, count);
        for (int i = 0; i < r.Length && i < c.Length && i < a.Length && i < b.Length; i++)
        {
            r[i] = c[i] != 0 ? a[i] : b[i];
        }
    }
}

/// <summary>Indices with a stride.</summary>
internal sealed class RampStep(SimtSlot result, SimtSlot first, SimtSlot stride) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        ReadOnlySpan<long> begin = block.Values<long>(first);
        ReadOnlySpan<long> step = block.Values<long>(stride);
        int width = result.IsUniform ? 1 : block.Threads;
        for (int lane = 0; lane < result.Type.Lanes; lane++)
        {
            Span<long> r = block.Values<long>(result, lane * width, width);
            for (int t = 0; t < width; t++)
            {
                r[t] = unchecked(begin[t] + (step[t] * lane));
            }
        }
    }
}

/// <summary>Constants that indices choose.</summary>
internal sealed class LookupStep(SimtSlot result, SimtSlot index, KLookup lookup) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        int count = result.Type.Lanes * (result.IsUniform ? 1 : block.Threads);
        for (int i = 0; i < count; i++)
        {
            SimtBits.Write(block, result, i, lookup.Entry(SimtBits.Read(block, index, i)).Bits);
        }
    }
}

/// <summary>Whether any lane is true.</summary>
internal sealed class AnyStep(SimtSlot result, SimtSlot flags) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        int width = result.IsUniform ? 1 : block.Threads;
        for (int t = 0; t < width; t++)
        {
            ulong any = 0;
            for (int lane = 0; lane < flags.Type.Lanes; lane++)
            {
                any |= SimtBits.Read(block, flags, (lane * width) + t);
            }
            SimtBits.Write(block, result, t, any);
        }
    }
}

/// <summary>The value of a symbolic dim.</summary>
internal sealed class SymbolStep(SimtSlot result, DimSymbol symbol) : SimtStep
{
    public override void Run(SimtBlock block) => block.Values<long>(result)[0] = block.Symbols(symbol);
}

/// <summary>Products of neighbouring narrow elements, added to wider lanes; see <see cref="KDot"/>.</summary>
internal sealed class DotStep(SimtSlot result, SimtSlot sum, SimtSlot left, SimtSlot right) : SimtStep
{
    public override void Run(SimtBlock block)
    {
        (DType a, DType b) = (left.Type.Element, right.Type.Element);
        int group = KDot.Group(a);
        int width = result.IsUniform ? 1 : block.Threads;
        Span<ulong> x = stackalloc ulong[group];
        Span<ulong> y = stackalloc ulong[group];
        for (int lane = 0; lane < result.Type.Lanes; lane++)
        {
            for (int t = 0; t < width; t++)
            {
                for (int i = 0; i < group; i++)
                {
                    int element = (((lane * group) + i) * width) + t;
                    x[i] = SimtBits.Read(block, left, element);
                    y[i] = SimtBits.Read(block, right, element);
                }
                int at = (lane * width) + t;
                SimtBits.Write(block, result, at, DotArithmetic.Accumulate(SimtBits.Read(block, sum, at), a, x, b, y));
            }
        }
    }
}
