using System.Numerics;

namespace Graphene.Codegen;

/// <content>What follows from the size of things: stores around the caches, and how much of a row is read at once.</content>
public sealed partial class LoopNestLowering
{
    // What takes a few microseconds when each element is a handful of instructions; a function of an element takes as long as some of those.
    private const long MostElementsPerTask = 16384;
    private const int ElementsOfFunction = 4;
    private const int EnoughTasks = 16;

    // A reduction across rows reads so many vectors of each row: whole cache lines and, with them, what was fetched beside them.
    private const int VectorsAcrossRows = 8;

    // A body with more instructions than this has work enough without neighbours, and would leave the registers.
    private const int FewOps = 12;

    // A loop that computes more than it reads meets each page of its operands anew; this far ahead hides the way to memory.
    private const int BytesAhead = 2048;

    private readonly HashSet<int> _askedAhead = [];
    private readonly HashSet<KBuffer> _streamed = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KBuffer, KExpr> _streamedWhen = new(ReferenceEqualityComparer.Instance);

    // A result larger than the caches is not in them when it is read again; writing it through them costs reading it first. Where its
    // size is not known, the kernel looks at it.
    private void MarkStreamed(LoopPlan plan)
    {
        if (plan.Inner is not { } inner || plan.Serial.Count > 0 || _source.WritesOverOperand)
        {
            return;
        }
        Dim touched = _source.Body.Parameters.Concat(_source.Body.Results).Aggregate((Dim)0, (sum, node) => sum + node.Type.SizeInBytes);

        // Where the result does not follow its operands, tiles write pieces of many lines, which the caches have to keep until the rest comes.
        long cached = _nest.Loads.All(load => IsReadAlong(load, inner)) ? _target.CachedBytes : 0;
        foreach ((LoopRoot root, Node result) in _roots.Zip(_source.Body.Results))
        {
            Dim bytes = result.Type.SizeInBytes;
            Dim row = inner.Extent * root.Output.Element.SizeInBytes();
            bool isLarge = bytes.Range.Max >= _target.StreamedBytes && touched.Range.Max > cached && !bytes.Symbols.Contains(FlatFusion.Count);
            bool hasWholeLines = plan.Outer.Count == 0 || (row.IsStatic && row.Value % CacheSizes.LineInBytes == 0);
            if (!isLarge || !hasWholeLines || root.Store[inner.Last] != 1)
            {
                continue;
            }
            if (bytes.Range.Min >= _target.StreamedBytes && touched.Range.Min > cached)
            {
                _streamed.Add(root.Output);
            }
            else
            {
                _streamedWhen.Add(root.Output, _b.Let("is_large", KBuilder.Call(
                    ScalarOp.And, KBuilder.Less(_target.StreamedBytes - 1, KBuilder.Value(bytes)), KBuilder.Less(cached, KBuilder.Value(touched)))));
            }
        }
    }

    private bool IsReadAlong(LoadExpr load, LoopGroup inner) =>
        AffineIndex.Of(load) is var at && IsLinear(at, inner) && (at[inner.Last] == 0 || at[inner.Last] == 1);

    // How many vectors of the innermost loop are computed together.
    private int VectorsAtOnce(LoopPlan plan)
    {
        if (plan.Inner is not { } inner || plan.Serial.Count > 0)
        {
            return 1;
        }
        if (IsDear() && _target.VectorRegisters >= 32 && IsElementwise(inner))
        {
            return 2; // long chains of dependent instructions: two of them keep the units busy
        }
        bool reducesAcross = _nest.Loops.Any(loop => loop.Combine is not null && _nest.DependsOn(loop, inner.Last));
        return !reducesAcross ? 1 : _nest.Expressions.OfType<CallExpr>().Sum(c => IsExpanded(c) ? FewOps : 1) <= FewOps ? VectorsAcrossRows : 2;
    }

    // Whether rounds of the innermost loop may overlap.
    private bool IsPipelined(LoopPlan plan) =>
        _target.PipelinesLoops && plan.Inner is { } inner && plan.Serial.Count == 0 && IsElementwise(inner);

    private bool IsElementwise(LoopGroup inner) => _nest.Loops.All(loop => !_nest.DependsOn(loop, inner.Last));

    private bool IsDear() => _nest.Expressions.OfType<CallExpr>().Any(IsExpanded);

    // Rows that are reduced first are in the cache when their results are written; the next one is fetched meanwhile.
    private void EmitPrefetches(LoopGroup inner)
    {
        bool reduces = _nest.Loops.Any();
        if (_streamed.Count == 0 || (reduces ? !inner.Extent.IsStatic : !IsDear()))
        {
            return;
        }
        foreach (LoadExpr load in _nest.Loads.Where(load => MovesWithRows(load, _nest.Shared[^1]) && !_askedAhead.Contains(load.Source)))
        {
            long ahead = reduces ? inner.Extent.Value * load.DType.SizeInBytes() : BytesAhead;
            if (ahead <= MostBytesKept)
            {
                _emitter.Prefetch(load, ahead);
            }
        }
    }

    // Whether what a load reads lies elsewhere for each row; the row's elements may be counted by a reduction's counter.
    private bool MovesWithRows(LoadExpr load, IndexVariable counter)
    {
        IReadOnlySet<ScalarExpr> counters = _analysis.FreeVariables(load);
        bool moves = (counter == _nest.Shared[^1] && _nest.Shared.Count == 1) || counters.Overlaps(_nest.Shared.SkipLast(1));
        return moves && counters.All(c => ReferenceEquals(c, counter) || _nest.Shared.Contains(c));
    }

    // Elements that make a task. Where there are few of them and each takes functions (the gates of a recurrent cell), tasks are shorter.
    private long ElementsPerTask
    {
        get
        {
            Dim all = _nest.Computed.Aggregate((Dim)0, (sum, node) => sum + node.Shape.ElementCount);
            int functions = _nest.Expressions.OfType<CallExpr>().Count(IsExpanded);
            return all.IsStatic
                ? Math.Clamp(all.Value / EnoughTasks, MostElementsPerTask / (1 + (ElementsOfFunction * functions)), MostElementsPerTask)
                : MostElementsPerTask;
        }
    }

    // Few rows are shared out evenly by powers of two.
    private static long RowsOf(long most) => most < EnoughTasks ? (long)BitOperations.RoundUpToPowerOf2((ulong)most + 1) / 2 : most;

    // Elements of one loop over everything that make a task: fewer when each is a reduction.
    private long ElementsPerChunk(int lanes)
    {
        Dim work = _nest.Loops.Aggregate(
            (Dim)1, (sum, loop) => sum + loop.Variables.Aggregate((Dim)1, (n, v) => n * v.Extent));
        long chunk = work.IsStatic ? ElementsPerTask / Math.Max(1, work.Value) : 0;
        return Math.Max(lanes, chunk / lanes * lanes);
    }

    private static bool IsExpanded(CallExpr call) => VectorMath.Expands(call.Op);
}
