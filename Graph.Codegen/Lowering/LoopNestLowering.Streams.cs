namespace Graphene.Codegen;

/// <content>What follows from the size of things: stores around the caches.</content>
public sealed partial class LoopNestLowering
{
    private const int CacheLineInBytes = 64;

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
}
