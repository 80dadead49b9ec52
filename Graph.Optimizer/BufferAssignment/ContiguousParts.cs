using System.Collections.Immutable;

namespace Graphene.Optimizer;

/// <summary>Tells which nodes only put pieces of memory together, each of them in one piece, or take such pieces out.</summary>
/// <remarks>
/// <code>
/// concatenate([2,3], [5,3], dimension 0)     pieces at bytes 0 and 24 of the result
/// slice([8,3], rows 2 to 5)                  a piece at byte 24 of the operand
/// concatenate([2,3], [2,5], dimension 1)     none: each operand is two pieces
/// </code>
/// They need no kernel where the pieces can be written, or read, where they are.
/// </remarks>
internal static class ContiguousParts
{
    /// <summary>Whether a node is one or the other.</summary>
    public static bool Has(Node node) => !OfConcatenation(node).IsEmpty || !OfSlices(node).IsEmpty;

    /// <summary>The pieces that the result of a concatenation is made of, in order; empty for any other node.</summary>
    public static ImmutableArray<ContiguousPart> OfConcatenation(Node node)
    {
        (Node join, bool isFused) = node.Op is FusionOp { Kind: FusionKind.Loop, Body.Results: [var only] } ? (only, true) : (node, false);
        if (join.Op is not ConcatenateOp { Dimension: var dimension } || !IsOnePiece(join, dimension))
        {
            return [];
        }
        var parts = ImmutableArray.CreateBuilder<ContiguousPart>();
        Dim offset = 0;
        for (int i = 0; i < join.Operands.Length; i++)
        {
            Node operand = join.Operands[i];
            if (!operand.Type.IsRowMajor || (isFused && operand.Op is not ParameterOp))
            {
                return [];
            }
            parts.Add(new ContiguousPart(isFused ? ((ParameterOp)operand.Op).Number : i, offset, operand.Type.SizeInBytes));
            offset += operand.Type.SizeInBytes;
        }
        return offset == join.Type.SizeInBytes ? parts.ToImmutable() : [];
    }

    /// <summary>The pieces of operands that the results of a node are, in the order of the results; empty for any other node.</summary>
    public static ImmutableArray<ContiguousPart> OfSlices(Node node)
    {
        if (node.Op is SliceOp)
        {
            return PieceOf(node) is { Operand: { } whole, Offset: var at } && ReferenceEquals(whole, node.Operands[0])
                ? [new ContiguousPart(0, at, node.Type.SizeInBytes)]
                : [];
        }
        if (node.Op is not FusionOp { Kind: FusionKind.Loop, Body: var body })
        {
            return [];
        }
        var parts = ImmutableArray.CreateBuilder<ContiguousPart>();
        foreach (Node result in body.Results)
        {
            if (PieceOf(result) is not { Operand.Op: ParameterOp parameter, Offset: var at })
            {
                return [];
            }
            parts.Add(new ContiguousPart(parameter.Number, at, result.Type.SizeInBytes));
        }
        return parts.ToImmutable();
    }

    // Whether nothing lies between two operands of a concatenation, nor between their own elements.
    private static bool IsOnePiece(Node join, int dimension) =>
        join.Type.IsRowMajor && join.Shape.Take(dimension).All(d => d == 1);

    // What a chain of slices and reshapes begins with, and how many bytes behind its start.
    private static (Node Operand, Dim Offset)? PieceOf(Node node)
    {
        Dim offset = 0;
        bool isSlice = false;
        while (node.Op is SliceOp or ReshapeOp)
        {
            Node operand = node.Operands[0];
            if (!node.Type.IsRowMajor || !operand.Type.IsRowMajor)
            {
                return null;
            }
            if (node.Op is SliceOp slice)
            {
                if (!IsOnePiece(slice, node.Shape, operand.Shape))
                {
                    return null;
                }
                Dim[] strides = operand.Type.Strides();
                Dim first = slice.Starts.Zip(strides).Aggregate((Dim)0, (sum, at) => sum + (at.First * at.Second));
                offset += first * node.DType.SizeInBytes();
                isSlice = true;
            }
            node = operand;
        }
        return isSlice ? (node, offset) : null;
    }

    // One element of some dimensions, a range of the next one, all of the rest.
    private static bool IsOnePiece(SliceOp slice, Shape taken, Shape from)
    {
        int ranged = Enumerable.Range(0, taken.Rank).FirstOrDefault(i => taken[i] != 1, taken.Rank);
        for (int i = ranged; i < taken.Rank; i++)
        {
            if (slice.Strides[i] != 1 || (i > ranged && taken[i] != from[i]))
            {
                return false;
            }
        }
        return true;
    }
}

/// <summary>A piece of a value's memory.</summary>
/// <param name="Operand">The operand that it holds, or that it belongs to.</param>
/// <param name="OffsetInBytes">Where it begins.</param>
/// <param name="SizeInBytes">How long it is.</param>
internal readonly record struct ContiguousPart(int Operand, Dim OffsetInBytes, Dim SizeInBytes);
