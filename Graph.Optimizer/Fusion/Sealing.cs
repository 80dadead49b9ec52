namespace Graphene.Optimizer;

/// <summary>
/// The one rule for ops that put their result together from pieces (concatenations, pads, updates): which fusions are sealed because of
/// them, and what joins them nevertheless.
/// </summary>
/// <remarks>
/// Where each thread knows the piece it reads (<see cref="FusionCostModel.JoinsPieces"/>), such an op is computed element by element like
/// any other. Elsewhere it makes a sealed fusion, which only moves data and takes what is free, so that no vector asks every piece
/// whether it belongs there. Three forms are more than that, each because a kernel walks the pieces in turns:
/// <code>
/// pad(transpose(planes))         an image that comes as planes gets its border while its colours are brought together
/// pad(concatenate(pieces))       a concatenation gets its border while it is put together
/// f(concatenate(pieces), ..)     elementwise work is done piece by piece of each row
/// </code>
/// </remarks>
public static class Sealing
{
    // Each vector that is stored takes a shuffle less than there are colours.
    private const int MostColours = 4;

    /// <summary>Whether the fastest dimension of a result is so short that a kernel interleaves whole vectors of its elements.</summary>
    /// <param name="dim">The dimension: the colours of an image.</param>
    public static bool AreColours(Dim dim) => dim is { IsStatic: true, Value: >= 2 and <= MostColours };

    /// <summary>Whether the pieces of each row of a concatenation are long enough for loops of their own.</summary>
    /// <param name="node">The concatenation; any other node has no pieces.</param>
    public static bool HasPiecesInRows(Node node) =>
        node.Op is ConcatenateOp join && join.Dimension == node.Rank - 1 && BoxedParts.HasLongRows(node) &&
        node.Operands.All(o => o.Shape[^1].IsStatic) && node.Shape.SkipLast(1).Any(d => d != 1);

    /// <summary>Whether a fusion that begins with a node is sealed.</summary>
    internal static bool Seals(Node root, FusionCostModel costs) =>
        FusionRoles.Of(root) == FusionRole.Assemble && !costs.JoinsPieces(root);

    /// <summary>Whether a sealed fusion takes a node that is asked for at these places.</summary>
    internal static bool Admits(FusionCluster cluster, Node node, IReadOnlyList<FusionPosition> positions) =>
        positions is [{ Axes: null, Repeats: false }] && (BringsColoursTogether(cluster, node) || IsPadded(cluster, node));

    /// <summary>Whether elementwise work takes the concatenation that it is done on, and is done piece by piece then.</summary>
    internal static bool TakesTurns(FusionCluster cluster, Node node, FusionPosition at, FusionCostModel costs) =>
        costs.TakesPiecesInTurns && node.Type.IsRowMajor && HasPiecesInRows(node) &&
        cluster.Kind == FusionKind.Loop && node.Shape.Equals(cluster.Space) && at.SameAs(FusionPosition.Identity(cluster.Space)) &&
        cluster.Members.All(m => FusionRoles.Of(m) is FusionRole.Map or FusionRole.Broadcast or FusionRole.Free);

    private static bool BringsColoursTogether(FusionCluster cluster, Node node) =>
        node is { Op: TransposeOp, Rank: > 1 } && AreColours(node.Shape[^1]) &&
        cluster.Members.All(m => m.Op is PadOp || FusionRoles.Of(m) == FusionRole.Free);

    private static bool IsPadded(FusionCluster cluster, Node node) =>
        node is { Op: ConcatenateOp join, Type.IsRowMajor: true } && BoxedParts.HasLongRows(node) && cluster.Members.All(
            m => FusionRoles.Of(m) == FusionRole.Free || (m is { Op: PadOp pad, Operands: [var padded, { Op: ConstantOp }] } &&
                ReferenceEquals(padded, node) && BoxedParts.MayPad(pad, join.Dimension)));
}
