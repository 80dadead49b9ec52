using System.Collections.Immutable;

namespace Graphene;

/// <summary>Combines, for each place of a sliding window, the elements under it: pooling, and sums over neighbourhoods.</summary>
/// <remarks>
/// Operands: n inputs of one shape, then n scalar initial values. Results: n tensors, one element per place of the window. Each
/// combination starts from the initial values; padding and the holes of a base dilation hold them too. The body takes 2n scalars
/// and returns n; it must be associative. Source: StableHLO specification, reduce_window; labels are the specification's.
/// </remarks>
/// <param name="Window">One entry per dimension of the inputs.</param>
/// <param name="Body">Combines two groups of scalars.</param>
public sealed partial record ReduceWindowOp(ValueList<WindowDim> Window, Computation Body) : Op("reduce_window")
{
    /// <summary>Reads the attributes that <see cref="Write"/> writes.</summary>
    public static Op Parse(AttributeReader a) => new ReduceWindowOp(WindowDims.Read(a), a.Computation("body"));

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
        WindowDims.Write(w, Window);
        w.Add("body", Body);
    }

    /// <inheritdoc/>
    public override Op SubstituteDims(IReadOnlyDictionary<DimSymbol, Dim> values) =>
        this with { Window = WindowDims.Substitute(Window, values) };

    /// <inheritdoc/>
    public override ImmutableArray<TensorType> InferTypes(OpSite site)
    {
        int n = site.OperandCount / 2;
        site.Require(
            n > 0 && site.OperandCount == 2 * n, DiagnosticId.OperandCount,
            $"takes as many initial values as inputs, not {site.OperandCount} operands in all"); // C1
        for (int i = 0; i < n; i++)
        {
            site.RequireSameShape(0, i); // C2
            site.Require( // C3
                site.Operand(n + i).Equals(TensorType.Scalar(site.Operand(i).DType)), DiagnosticId.DTypeMismatch,
                $"initial value {i} is {site.Operand(n + i)}, its input is {site.Operand(i)}",
                why: "an initial value is a scalar of its input's element type");
        }
        Shape input = site.Operand(0).Shape;
        WindowDims.Require(site, Window, input.Rank); // C4..C12
        site.RequireReductionBody(Body, [.. Enumerable.Range(0, n).Select(i => site.Operand(i).DType)]); // C13
        Shape shape = Shape.From(Window.Select((w, axis) => w.OutputSize(input[axis])));
        return [.. Enumerable.Range(0, n).Select(i => new TensorType(site.Operand(i).DType, shape))]; // C14..C16
    }

    /// <inheritdoc/>
    public override Literal[] EvaluateAll(IReadOnlyList<Literal> operands, ImmutableArray<TensorType> results)
    {
        int n = results.Length;
        Shape input = operands[0].Shape;
        Scalar[] initial = [.. Enumerable.Range(n, n).Select(i => operands[i][0])];
        long[] window = [.. Window.Select(w => w.Size.Value)];
        var writers = results.Select(r => new LiteralWriter(r)).ToArray();
        var source = new long[input.Rank];
        foreach (long[] at in IndexSpace.Of(results[0].Shape.ToStatic()))
        {
            Scalar[] running = initial;
            foreach (long[] element in IndexSpace.Of(window))
            {
                bool inside = true;
                for (int i = 0; i < source.Length; i++)
                {
                    inside &= Window[i].TryGetSource(at[i], element[i], input[i].Value, out source[i]);
                }
                Scalar[] next = inside ? [.. Enumerable.Range(0, n).Select(i => operands[i][source])] : initial;
                running = Evaluator.ApplyScalars(Body, [.. running, .. next]);
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
        Shape input = e.OperandType(0).Shape;
        ScalarExpr[] initial = [.. Enumerable.Range(n, n).Select(i => e.Operand(i))];

        // Dimensions whose window is a single element need no counter.
        int[] counted = [.. Enumerable.Range(0, Window.Count).Where(axis => Window[axis].Size != 1)];
        return e.Reduce(
            [.. counted.Select(axis => Window[axis].Size)],
            initial,
            variables =>
            {
                ScalarExpr[] element = [.. Enumerable.Range(0, Window.Count).Select(
                    axis => Array.IndexOf(counted, axis) is >= 0 and var i ? variables[i] : e.Index(0))];
                (ScalarExpr inside, ScalarExpr[] positions) = WindowDims.Source(e, Window, at, element, [.. input]);
                var source = IndexVector.From(positions);
                return [.. Enumerable.Range(0, n).Select(i => e.Guard(inside, e.Operand(i, source), initial[i]))];
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
        return site.Builder.Results(
            site.Builder.Add(this with { Window = [WindowDim.Identity, .. Window] }, [.. operands]));
    }
}

/// <summary>Builds window reductions.</summary>
public static class ReduceWindowBuilder
{
    /// <summary>Combines the elements under a sliding window by an elementwise function of two operands.</summary>
    public static Node ReduceWindow(
        this GraphBuilder b, Node x, Node initial, IReadOnlyList<WindowDim> window, ElementwiseFn fn) =>
        b.Add(new ReduceWindowOp(window.ToValueList(), ReductionBody.Of(fn, x.DType)), x, initial);
}
