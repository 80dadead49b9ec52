namespace Graphene;

/// <summary>Matrix products as front ends know them, written as <c>dot_general</c> without copies of the operands.</summary>
public static class MatMulComposite
{
    /// <summary>NumPy's matmul: the last two dimensions are matrices, the others broadcast; a vector is a row or a column.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">Shape [batch.., m, k] or [k].</param>
    /// <param name="y">Shape [batch.., k, n] or [k].</param>
    /// <param name="resultType">The element type of the result; the operands' by default.</param>
    /// <exception cref="GraphException">GR1301: the contracted dimensions differ. GR1007: the batches do not broadcast.</exception>
    public static Node MatMul(this GraphBuilder b, Node x, Node y, DType? resultType = null)
    {
        OpSite site = b.Site("matmul", x, y);
        site.Require(
            x.Rank > 0 && y.Rank > 0, DiagnosticId.RankMismatch, $"cannot multiply {x.Type} by {y.Type}",
            why: "a matrix product takes vectors or matrices, not scalars", fix: "use Multiply for a scalar factor");
        Dim left = x.Shape[^1];
        Dim right = y.Rank == 1 ? y.Shape[0] : y.Shape[^2];
        site.Require(
            !left.ProvablyDiffers(right), DiagnosticId.ContractionMismatch,
            $"cannot multiply {x.Type} by {y.Type}: {left} columns meet {right} rows",
            why: "the last dimension of the left operand is contracted with the last but one of the right operand",
            fix: "transpose or reshape one operand so that the sizes agree");
        bool rowVector = x.Rank == 1;
        bool columnVector = y.Rank == 1;
        if (columnVector)
        {
            return b.DotGeneral(x, y, [], [], [x.Rank - 1], [0], resultType);
        }
        if (rowVector && y.Rank == 2)
        {
            return b.DotGeneral(x, y, [], [], [0], [0], resultType);
        }
        Node matrix = rowVector ? b.Reshape(x, [1, x.Shape[0]]) : x;
        Node product = Batched(b, site, matrix, y, resultType);
        return rowVector ? b.Reshape(product, product.Shape.Without([product.Rank - 2])) : product;
    }

    /// <summary>ONNX's Gemm: <c>alpha * op(x) * op(y) + beta * c</c>, with transposes and a broadcast addend.</summary>
    /// <param name="b">The builder.</param>
    /// <param name="x">A matrix.</param>
    /// <param name="y">A matrix.</param>
    /// <param name="c">What is added, or null.</param>
    /// <param name="alpha">The product's factor.</param>
    /// <param name="beta">The addend's factor.</param>
    /// <param name="transposeX">True to take <paramref name="x"/> transposed.</param>
    /// <param name="transposeY">True to take <paramref name="y"/> transposed.</param>
    public static Node Gemm(
        this GraphBuilder b, Node x, Node y, Node? c = null, double alpha = 1, double beta = 1, bool transposeX = false,
        bool transposeY = false)
    {
        OpSite site = b.Site("gemm", x, y);
        site.Require(
            x.Rank == 2 && y.Rank == 2, DiagnosticId.RankMismatch, $"takes two matrices, not {x.Type} and {y.Type}");
        Node product = b.DotGeneral(x, y, [], [], [transposeX ? 0 : 1], [transposeY ? 1 : 0]);
        if (alpha != 1)
        {
            product = b.Multiply(product, b.Like(product, alpha));
        }
        if (c is null || beta == 0)
        {
            return product;
        }
        Node addend = beta == 1 ? c : b.Multiply(c, b.Like(c, beta));
        return b.Add(product, b.BroadcastTo(addend, product.Shape));
    }

    // Dimensions that only one operand has (or has more than one of) are free ones of it; the product is transposed into order.
    private static Node Batched(GraphBuilder b, OpSite site, Node x, Node y, DType? resultType)
    {
        Shape batch = Broadcasting.TryBroadcast(BatchOf(x), BatchOf(y)) ?? throw site.Error(
            DiagnosticId.NotBroadcastable, $"the batches of {x.Type} and {y.Type} do not broadcast",
            "all dimensions but the last two must be equal, or 1");
        var paired = new List<int>();
        var onlyX = new List<int>();
        var onlyY = new List<int>();
        for (int i = 0; i < batch.Rank; i++)
        {
            Dim left = At(x, i, batch.Rank);
            Dim right = At(y, i, batch.Rank);
            (right == 1 ? onlyX : left == 1 ? onlyY : paired).Add(i);
        }
        Node lhs = Keep(b, x, batch.Rank, onlyY);
        Node rhs = Keep(b, y, batch.Rank, onlyX);
        int[] lhsOrder = [.. Enumerable.Range(0, batch.Rank).Except(onlyY)];
        int[] rhsOrder = [.. Enumerable.Range(0, batch.Rank).Except(onlyX)];
        Node product = b.DotGeneral(
            lhs, rhs,
            Axes.From(paired.Select(i => Array.IndexOf(lhsOrder, i))), Axes.From(paired.Select(i => Array.IndexOf(rhsOrder, i))),
            [lhs.Rank - 1], [rhs.Rank - 2], resultType);

        // Now: paired, only x, m, only y, n.
        int[] places = [.. paired, .. onlyX, batch.Rank, .. onlyY, batch.Rank + 1];
        Node ordered = b.Transpose(product, Axes.From(places).Inverse());
        return b.Reshape(ordered, Shape.From([.. batch, ordered.Shape[^2], ordered.Shape[^1]]));
    }

    private static Shape BatchOf(Node x) => x.Shape.Without([x.Rank - 2, x.Rank - 1]);

    private static Dim At(Node x, int batchAxis, int batchRank)
    {
        int axis = batchAxis - (batchRank - (x.Rank - 2));
        return axis < 0 ? 1 : x.Shape[axis];
    }

    // The operand without the batch dimensions that the other one alone has; missing leading ones appear with size 1.
    private static Node Keep(GraphBuilder b, Node x, int batchRank, List<int> dropped) => b.Reshape(x, Shape.From(
    [
        .. Enumerable.Range(0, batchRank).Except(dropped).Select(i => At(x, i, batchRank)),
        x.Shape[^2],
        x.Shape[^1],
    ]));
}
