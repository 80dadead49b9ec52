using System.Collections.Immutable;
using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>Lowers the fusions of a batch, each to a kernel; those that differ in their sizes only share one.</summary>
/// <remarks>
/// <code>
/// w1' [64,10], w2' [10], w3' [10,5] updated by one formula:  kernel K(elements) called with 640, 10 and 50 elements
/// </code>
/// </remarks>
/// <param name="target">The machine.</param>
internal sealed class BatchLowering(KernelTarget target)
{
    private readonly KernelTemplates _templates = new(target);
    private readonly Dictionary<Kernel, Kernel> _sized = new(ReferenceEqualityComparer.Instance);

    /// <summary>One kernel for each fusion of the batch, in order.</summary>
    /// <param name="batch">A node whose op is a <see cref="FusionOp"/> of kind batch.</param>
    /// <param name="isOverwritten">Tells which operands of the batch share memory with a result.</param>
    public IReadOnlyList<LoweredKernel> Lower(Node batch, Func<int, bool> isOverwritten)
    {
        Computation body = ((FusionOp)batch.Op).Body;
        ImmutableArray<Node> members = BatchBody.Members(body);
        FlatFusion?[] flat = [.. members.Select(m => IsStreamed(m) ? null : FlatFusion.TryOf(m))];
        var shared = new HashSet<Computation>(flat.OfType<FlatFusion>().GroupBy(BodyOf)
            .Where(same => same.Select(f => f.Elements).Distinct().Skip(1).Any()).Select(same => same.Key));
        var results = new Dictionary<(Node, int), int>();
        for (int i = 0; i < body.Results.Length; i++)
        {
            results.Add(BatchBody.SourceOf(body, i), i);
        }
        return [.. members.Select((member, i) => flat[i] is { } f && shared.Contains(BodyOf(f))
            ? Lower(member, f.Fusion) with { Sizes = [f.Elements] }
            : Lower(member, member))];

        LoweredKernel Lower(Node member, Node lowered)
        {
            int[] places = [.. member.Operands.Select(o => ((ParameterOp)o.Op).Number)];
            // Kernels of a batch run in any order, so a member is one kernel, even where two would share the work of threads better.
            bool IsOverwritten(int operand) => isOverwritten(places[operand]);
            LoweredKernel kernel = _templates.Lower("loop", lowered, IsOverwritten) is [var single]
                ? single
                : (target.Gpu is null ? null : GpuFusionLowering.TryLowerAsOne("loop", lowered, target, IsOverwritten))
                    ?? LoopNestLowering.Lower("loop", lowered, target, IsOverwritten, PackedLookups.None);
            if (!ReferenceEquals(member, lowered))
            {
                kernel = kernel with { Kernel = Sized(kernel.Kernel) };
            }
            return kernel with { Operands = [.. kernel.Operands.Select(Outside)] };

            KernelOperand Outside(KernelOperand operand) => operand switch
            {
                KernelOperand.Value value when ReferenceEquals(value.Node, lowered) =>
                    new KernelOperand.Value(batch, results[(member, value.Result)]),
                KernelOperand.Value value => new KernelOperand.Value(batch.Operands[places[lowered.Operands.IndexOf(value.Node)]]),
                _ => operand,
            };
        }
    }

    // One object for each kernel: that is how calls of one kernel are known.
    private Kernel Sized(Kernel kernel)
    {
        if (!_sized.TryGetValue(kernel, out Kernel? sized))
        {
            _sized.Add(kernel, sized = kernel with { Sizes = [FlatFusion.Count] });
        }
        return sized;
    }

    private static Computation BodyOf(FlatFusion flat) => ((FusionOp)flat.Fusion.Op).Body;

    // Writing around the caches is decided by sizes that are known.
    private bool IsStreamed(Node fusion) =>
        fusion.Types.Any(t => t.SizeInBytes is { IsStatic: true, Value: var bytes } && bytes >= target.StreamedBytes);
}
