namespace Graphene.Codegen;

/// <content>What follows from the size of things: stores around the caches, and how much of a row is read at once.</content>
public sealed partial class LoopNestLowering
{
    private const int CacheLineInBytes = 64;

    // A reduction across rows reads so many vectors of each row: whole cache lines and, with them, what was fetched beside them.
    private const int VectorsAcrossRows = 8;

    // A body with more instructions than this has work enough without neighbours, and would leave the registers.
    private const int FewOps = 12;

    private readonly HashSet<KBuffer> _streamed = new(ReferenceEqualityComparer.Instance);

    // A result larger than the caches is not in them when it is read again; writing it through them costs reading it first.
    private void MarkStreamed(LoopPlan plan)
    {
        if (plan.Inner is not { } inner || plan.Serial.Count > 0 || _source.WritesOverOperand)
        {
            return;
        }
        foreach ((Root root, Node result) in _roots.Zip(_source.Body.Results))
        {
            Dim bytes = result.Type.SizeInBytes;
            Dim row = inner.Extent * root.Output.Element.SizeInBytes();
            bool isLarge = bytes.IsStatic && bytes.Value >= _target.StreamedBytes;
            bool hasWholeLines = plan.Outer.Count == 0 || (row.IsStatic && row.Value % CacheLineInBytes == 0);
            if (isLarge && hasWholeLines && root.Store[inner.Last] == 1)
            {
                _streamed.Add(root.Output);
            }
        }
    }

    // How many vectors of the innermost loop are computed together.
    private int VectorsAtOnce(LoopPlan plan)
    {
        if (plan.Inner is not { } inner || plan.Serial.Count > 0)
        {
            return 1;
        }
        bool reducesAcross = Loops(_roots.Select(r => r.Element)).Any(loop => loop.Combine is not null && DependsOn(loop, inner.Last));
        return !reducesAcross ? 1 : Expressions().OfType<CallExpr>().Sum(c => IsExpanded(c) ? FewOps : 1) <= FewOps ? VectorsAcrossRows : 2;
    }

    // Elements of one loop over everything that make a task: fewer when each is a reduction.
    private long ElementsPerChunk(int lanes)
    {
        Dim work = Loops(_roots.Select(r => r.Element)).Aggregate(
            (Dim)1, (sum, loop) => sum + loop.Variables.Aggregate((Dim)1, (n, v) => n * v.Extent));
        long chunk = work.IsStatic ? ElementsPerTask / Math.Max(1, work.Value) : 0;
        return Math.Max(lanes, chunk / lanes * lanes);
    }

    private static bool IsExpanded(CallExpr call) => VectorMath.Expands(call.Op);
}
