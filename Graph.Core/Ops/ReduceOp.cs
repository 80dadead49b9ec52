using System.Collections.Immutable;

namespace Graphene;

/// <summary>Combines all elements along some dimensions by a computation, starting from given values.</summary>
/// <remarks>
/// Operands: n inputs of one shape, then n scalar initial values. Results: n tensors without the reduced dimensions. The body
/// takes 2n scalars (n of the running result, n of the next element) and returns n. It must be associative: back ends group the
/// elements by a fixed tree. Source: StableHLO specification, reduce; labels are the specification's.
/// </remarks>
/// <param name="Dimensions">The dimensions that vanish.</param>
/// <param name="Body">Combines two groups of scalars.</param>
public sealed partial record ReduceOp(Axes Dimensions, Computation Body) : Op("reduce")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ReduceOp(a.Axes("dimensions"), a.Computation("body"));

    /// <inheritdoc/>
    public override bool IsExpensive => true;

    /// <inheritdoc/>
    public override bool HasElementForm => true;

    /// <inheritdoc/>
    public override ImmutableArray<Computation> Computations => [Body];

    /// <inheritdoc/>
    public override Op WithComputations(ImmutableArray<Computation> computations) => this with { Body = computations[0] };

    /// <inheritdoc/>
    public override void Write(AttributeWriter w)
    {
        w.Add("dimensions", Dimensions);
        w.Add("body", Body);
    }

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        int n = site.OperandCount / 2;
        site.Require(
            n > 0 && site.OperandCount == 2 * n, DiagnosticId.OperandCount,
            $"takes as many initial values as inputs, not {site.OperandCount} operands in all");
        for (int i = 0; i < n; i++)
        {
            site.RequireSameShape(0, i); // C1
            site.Require( // C2, C3
                site.Operand(n + i).Equals(TensorType.Scalar(site.Operand(i).DType)), DiagnosticId.DTypeMismatch,
                $"initial value {i} is {site.Operand(n + i)}, its input is {site.Operand(i)}",
                why: "an initial value is a scalar of its input's element type");
        }
        site.Require( // C4, C5
            Dimensions.AreUniqueBelow(site.Operand(0).Rank), DiagnosticId.BadAxis,
            $"dimensions {Dimensions} are not different dimensions of {site.Operand(0)}");
        site.RequireReductionBody(Body, [.. Enumerable.Range(0, n).Select(i => site.Operand(i).DType)]); // C6
        return [.. Enumerable.Range(0, n).Select(
            i => new TensorType(site.Operand(i).DType, site.Operand(i).Shape.Without(Dimensions)))]; // C7, C8
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        int n = results.Length;
        Axes kept = Dimensions.Complement(operands[0].Type.Rank);
        long[] extents = [.. Dimensions.Select(d => operands[0].Shape[d].Value)];
        var writers = results.Select(r => new LiteralWriter(r)).ToArray();
        var source = new long[operands[0].Type.Rank];
        foreach (long[] at in IndexSpace.Of(results[0].Shape.ToStatic()))
        {
            Scalar[] running = [.. Enumerable.Range(0, n).Select(i => operands[n + i][0])];
            for (int i = 0; i < at.Length; i++)
            {
                source[kept[i]] = at[i];
            }
            foreach (long[] inner in IndexSpace.Of(extents))
            {
                for (int i = 0; i < inner.Length; i++)
                {
                    source[Dimensions[i]] = inner[i];
                }
                running = Evaluator.ApplyScalars(Body, [.. running, .. Enumerable.Range(0, n).Select(i => operands[i][source])]);
            }
            for (int i = 0; i < n; i++)
            {
                writers[i].Append(running[i]);
            }
        }
        return [.. writers.Select(w => w.ToLiteral())];
    }

    /// <inheritdoc/>
    public override ScalarExpr Element(ElementBuilder e, IndexVector at, int result)
    {
        int n = e.OperandCount / 2;
        TensorType x = e.OperandType(0);
        Axes kept = Dimensions.Complement(x.Rank);
        ScalarExpr[] initial = [.. Enumerable.Range(n, n).Select(i => e.Operand(i))];
        return e.Reduce(
            [.. Dimensions.Select(d => x.Shape[d])],
            initial,
            variables =>
            {
                IndexVector source = IndexVector.From(Enumerable.Range(0, x.Rank).Select(
                    axis => Dimensions.Contains(axis) ? variables[Dimensions.IndexOf(axis)] : at[kept.IndexOf(axis)]));
                return [.. Enumerable.Range(0, n).Select(i => e.Operand(i, source))];
            },
            (a, b) => e.Apply(Body, [.. a, .. b]))[result];
    }

    /// <inheritdoc/>
    public override Node[]? Vectorize(VectorizeSite site)
    {
        int n = site.Node.Types.Length;
        if (Enumerable.Range(n, n).Any(site.IsMapped))
        {
            return null; // a reduction has one initial value
        }
        Node[] operands = [.. Enumerable.Range(0, n).Select(site.Mapped), .. Enumerable.Range(n, n).Select(site.Operand)];
        return site.Builder.Results(site.Builder.Add(this with { Dimensions = Dimensions.Behind() }, [.. operands]));
    }
}

/// <summary>Builds reductions.</summary>
public static class ReduceBuilder
{
    /// <summary>Reduces one tensor along dimensions by an elementwise function of two operands.</summary>
    public static Node Reduce(this GraphBuilder b, Node x, Node initial, Axes dimensions, ElementwiseFn fn) =>
        b.Add(new ReduceOp(dimensions, ReductionBody.Of(fn, x.DType)), x, initial);

    /// <summary>The sum along dimensions, starting from 0.</summary>
    public static Node ReduceSum(this GraphBuilder b, Node x, Axes dimensions) =>
        b.Reduce(x, b.Constant(x.DType, 0), dimensions, ElementwiseTable.Add);

    /// <summary>The maximum along dimensions, starting from the lowest value.</summary>
    public static Node ReduceMax(this GraphBuilder b, Node x, Axes dimensions) =>
        b.Reduce(x, b.Constant(Scalar.Lowest(x.DType)), dimensions, ElementwiseTable.Maximum);
}

/// <summary>The usual bodies of reductions.</summary>
public static class ReductionBody
{
    /// <summary>A computation over two scalars that applies an elementwise function.</summary>
    public static Computation Of(ElementwiseFn fn, DType type)
    {
        var b = new GraphBuilder();
        Node x = b.Parameter(0, TensorType.Scalar(type));
        Node y = b.Parameter(1, TensorType.Scalar(type));
        return b.Build(fn.Name, [b.Elementwise(fn, x, y)]);
    }

    /// <summary>The function that a body applies to its two parameters, when it does nothing else.</summary>
    public static ElementwiseFn? FunctionOf(Computation body) =>
        body is { Results: [{ Op: ElementwiseOp { Fn: { Arity: 2 } fn }, Operands: [{ Op: ParameterOp p }, { Op: ParameterOp q }] }] } &&
        ((p.Number == 0 && q.Number == 1) || (fn.Commutative && p.Number == 1 && q.Number == 0))
            ? fn
            : null;
}
