using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Tells which nodes only put boxes together, and who may write and read such boxes where they are.</summary>
/// <remarks>
/// <code>
/// concatenate([8,8,64], [8,8,32], dimension 2)                boxes at [0,0,0] and [0,0,64] of [8,8,96]
/// pad(concatenate([8,8,64], [8,8,32]), low [1,1,0])           boxes at [1,1,0] and [1,1,64], and a border
/// </code>
/// Unlike those of <see cref="ContiguousParts"/> their rows are apart, so a kernel must know of it.
/// </remarks>
public static class BoxedParts
{
    // Shorter rows share their cache lines with their neighbours.
    private const long FewestBytesTogether = 64;

    /// <summary>The boxes that the result of a node is put together from; empty for a node that does anything else.</summary>
    public static ImmutableArray<BoxedPart> Of(Node node)
    {
        if (node.Op is not FusionOp { Kind: FusionKind.Loop, Body.Results: [var whole] } || PadAndJoin(whole) is not var (pad, join) ||
            !whole.Type.IsRowMajor || node.Operands.Any(o => o.Op is ConstantOp))
        {
            return [];
        }
        int dimension = ((ConcatenateOp)join.Op).Dimension;
        Dim start = 0;
        var parts = ImmutableArray.CreateBuilder<BoxedPart>();
        foreach (Node operand in join.Operands)
        {
            if (operand.Op is not ParameterOp { Number: var number } || !operand.Type.IsRowMajor || !start.IsStatic)
            {
                return [];
            }
            long at = start.Value;
            ValueList<long> starts = Enumerable.Range(0, join.Rank)
                .Select(axis => (pad?.Low[axis].Value ?? 0) + (axis == dimension ? at : 0)).ToValueList();
            parts.Add(new BoxedPart(number, new PartBox(whole.Type, operand.Type, starts)));
            start += operand.Shape[dimension];
        }
        return parts.All(p => p.Box.BytesTogether >= FewestBytesTogether) ? parts.ToImmutable() : [];
    }

    /// <summary>A concatenation, and the border in front of the dimension that grows, which a kernel writes apart.</summary>
    public static (PadOp? Pad, Node Join)? PadAndJoin(Node node) => node switch
    {
        { Op: ConcatenateOp } => (null, node),
        { Op: PadOp pad, Operands: [{ Op: ConcatenateOp join } joined, { Op: ConstantOp }] }
            when MayPad(pad, join.Dimension) => (pad, joined),
        _ => null,
    };

    /// <summary>Whether a pad only puts a border around what is concatenated along a dimension.</summary>
    public static bool MayPad(PadOp pad, int dimension) =>
        pad.IsBorder && pad.Low.Concat(pad.High).All(n => n.IsStatic) && pad.Low.Concat(pad.High).Any(n => n != 0) &&
        pad.Low.Skip(dimension).Concat(pad.High.Skip(dimension)).All(n => n == 0);

    /// <summary>Whether what lies together of each operand of a concatenation fills cache lines.</summary>
    public static bool HasLongRows(Node join) => join.Op is ConcatenateOp { Dimension: var dimension } && join.Operands.All(o =>
        o.Shape.Skip(dimension).Aggregate((long)o.DType.SizeInBytes(), (bytes, d) => bytes * d.Range.Min) >= FewestBytesTogether);

    /// <summary>Whether the kernel of a node can write its only result as a box.</summary>
    public static bool MayWrite(Node node) =>
        node is { Types: [{ IsRowMajor: true }], Op: FusionOp { Body: var body } fusion } && !Assembles(body) &&
        fusion.Kind switch
        {
            FusionKind.Dot or FusionKind.Convolution => HeroOf(body).Shape.Equals(node.Shape),
            FusionKind.Loop => true,
            _ => false,
        };

    /// <summary>Whether the kernel of a node can read any operand as a box.</summary>
    public static bool MayRead(Node node) => node.Op is FusionOp { Kind: FusionKind.Loop, Body: var body } && !Assembles(body);

    private static Node HeroOf(Computation body) => body.PostOrder().Single(n => n.Op is DotGeneralOp or ConvolutionOp);

    private static bool Assembles(Computation body) => body.PostOrder().Any(n => FusionRoles.Of(n) == FusionRole.Assemble);
}

/// <summary>An operand that is a box of a result.</summary>
/// <param name="Operand">The number of the operand.</param>
/// <param name="Box">Where it lies.</param>
public readonly record struct BoxedPart(int Operand, PartBox Box);
