using System.Collections.Immutable;
using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>A fusion that reads or writes boxes of other values' memory, in the words of fusions that do not.</summary>
/// <remarks>
/// <code>
/// y = f(x), y a box of c, x a box of d      =>   c = dynamic_update_slice(c, f(slice(d)))     written over c, so the box alone
/// </code>
/// So no schedule hears of boxes: reading a slice is an index with other strides, and writing a box what <see cref="UpdatedBox"/> is for.
/// </remarks>
internal sealed class PlacedFusion
{
    private readonly Node _fusion;
    private readonly int _whole;

    private PlacedFusion(Node fusion, Node placed, int whole)
    {
        _fusion = fusion;
        Node = placed;
        _whole = whole;
    }

    /// <summary>The fusion on whole values.</summary>
    public Node Node { get; }

    /// <summary>Rewrites a fusion.</summary>
    /// <param name="fusion">The fusion, with one result when that is a box.</param>
    /// <param name="operands">What each operand is a box of; null for those that are none.</param>
    /// <param name="result">What the result is a box of; null when it is none.</param>
    public static PlacedFusion Of(Node fusion, IReadOnlyList<PartBox?> operands, PartBox? result)
    {
        var op = (FusionOp)fusion.Op;
        var inside = new GraphBuilder();
        var outside = new GraphBuilder();
        var copies = new Dictionary<Node, Node>(ReferenceEqualityComparer.Instance);
        var arguments = new List<Node>();
        for (int i = 0; i < op.Body.Parameters.Length; i++)
        {
            // A stand-in for each whole: two boxes of one are different operands.
            arguments.Add(operands[i] is { } box ? outside.Parameter(i, box.Whole) : fusion.Operands[i]);
            Node parameter = inside.Parameter(i, arguments[i].Type);
            copies.Add(op.Body.Parameters[i], operands[i] is { } from ? Inside(inside, parameter, from) : parameter);
        }
        foreach (Node node in op.Body.PostOrder().Where(n => n.Op is not ParameterOp))
        {
            copies.Add(node, inside.Add(node.Op, node.Operands.Select(o => copies[o]).ToImmutableArray()));
        }
        Node[] results = [.. op.Body.Results.Select(r => copies[r])];
        if (result is not null)
        {
            Node whole = inside.Parameter(arguments.Count, result.Whole);
            results[0] = inside.DynamicUpdateSlice(whole, results[0], [.. result.Starts.Select(s => inside.Constant(DType.I64, s))]);
            arguments.Add(outside.Parameter(arguments.Count, result.Whole));
        }
        Computation body = inside.Build(op.Body.Name, results);
        return new PlacedFusion(
            fusion, outside.Add(op with { Body = body }, arguments.ToImmutableArray()), result is null ? -1 : arguments.Count - 1);
    }

    /// <summary>Whether an operand shares memory with the result: the whole that a box is written into.</summary>
    public bool IsOverwritten(int operand) => operand == _whole;

    /// <summary>Kernels of <see cref="Node"/> as those of the fusion.</summary>
    public IReadOnlyList<LoweredKernel> Outside(IReadOnlyList<LoweredKernel> kernels) =>
        [.. kernels.Select(k => k with { Operands = [.. k.Operands.Select(Outside)] })];

    private KernelOperand Outside(KernelOperand operand)
    {
        if (operand is not KernelOperand.Value value)
        {
            return operand;
        }
        int place = ReferenceEquals(value.Node, Node) ? _whole : Node.Operands.IndexOf(value.Node);
        return place == _whole
            ? new KernelOperand.Value(_fusion, ReferenceEquals(value.Node, Node) ? value.Result : 0)
            : new KernelOperand.Value(_fusion.Operands[place]);
    }

    private static Node Inside(GraphBuilder b, Node whole, PartBox box) => b.Slice(
        whole, [.. box.Starts.Select(s => (Dim)s)], [.. box.Starts.Select((s, axis) => box.Part.Shape[axis] + s)]);
}
