using Graphene.Optimizer;

namespace Graphene.Codegen;

/// <summary>Lowers concatenations: strips of each operand are copied one behind another.</summary>
/// <remarks>
/// <code>
/// [rows, a] and [rows, b] along the columns, or whatever lies behind the dimension that grows:
///   for row in task
///     result[row][0 .. a]     = first[row]
///     result[row][a .. a + b] = second[row]
/// </code>
/// By its element form each vector of the result would ask all operands under masks. Rows longer than a task are cut. Operands whose
/// memory is the result's lie there already. Where a border goes around it, a kernel of its own writes that, and rows lie inside.
/// </remarks>
internal sealed class ConcatenationLowering
{
    private const long ElementsPerTask = 16384;

    private readonly Node _join;
    private readonly PadOp? _pad;
    private readonly TensorType _whole;
    private readonly int _lanes;
    private readonly bool _streams;
    private readonly Dim _length;
    private readonly KernelArguments _arguments = new();
    private readonly KBuffer?[] _sources;
    private readonly KBuffer _result;
    private readonly KBuilder _b = new();

    private ConcatenationLowering(Node fusion, PadOp? pad, Node join, KernelTarget target, Func<int, bool> isThere)
    {
        _join = join;
        _pad = pad;
        _whole = fusion.Type;
        _lanes = target.Lanes(join.DType);
        _streams = join.Type.SizeInBytes is { IsStatic: true, Value: var bytes } && 2 * bytes > target.CachedBytes;
        _length = StripOf(join);
        Computation body = ((FusionOp)fusion.Op).Body;
        _sources = [.. body.Parameters.Select((p, i) => isThere(i)
            ? null : _arguments.Input($"in{i}", p.DType, new KernelOperand.Value(fusion.Operands[i])))];
        _result = _arguments.Output("out0", join.DType, new KernelOperand.Value(fusion));
    }

    /// <summary>The kernels, or null when the fusion needs another schedule.</summary>
    /// <param name="name">The kernels' name.</param>
    /// <param name="fusion">A node whose op is a <see cref="FusionOp"/>.</param>
    /// <param name="target">The machine.</param>
    /// <param name="isThere">Tells which operands lie where the result has them.</param>
    /// <param name="lookups">Operands that are there in panels only.</param>
    public static IReadOnlyList<LoweredKernel>? TryLower(
        string name, Node fusion, KernelTarget target, Func<int, bool> isThere, PackedLookups lookups)
    {
        if (((FusionOp)fusion.Op).Body.Results is not [{ Type.IsRowMajor: true } whole] ||
            BoxedParts.PadAndJoin(whole) is not var (pad, join) ||
            !join.Operands.All(o => o.Op is ParameterOp && o.Type.IsRowMajor) ||
            Enumerable.Range(0, fusion.Operands.Length).Any(i => lookups.Of(fusion, i) is not null))
        {
            return null;
        }
        int there = Enumerable.Range(0, fusion.Operands.Length).Count(isThere);
        var lowering = new ConcatenationLowering(fusion, pad, join, target, isThere);

        // Strips shorter than a vector are better put together in lanes.
        long few = (long)lowering._lanes * join.Operands.Length;
        if (there == 0 && lowering._length is { IsStatic: true, Value: var length } && length < few)
        {
            return null;
        }
        var kernels = new List<LoweredKernel>();
        if (Border.Of(whole, new KernelOperand.Value(fusion)) is { } border)
        {
            kernels.Add(BorderLowering.Lower(name + "_border", border, target));
        }
        if (there < join.Operands.Length)
        {
            kernels.Add(lowering.Run(name));
        }
        return kernels;
    }

    private LoweredKernel Run(string name)
    {
        var task = new KVariable("task", KType.Index);
        Dim rows = _join.Shape.Take(((ConcatenateOp)_join.Op).Dimension).Aggregate((Dim)1, (n, d) => n * d);
        KExpr length = KBuilder.Value(_length);
        KExpr rowsPerTask = KBuilder.Maximum(1, KBuilder.Divide(ElementsPerTask, KBuilder.Maximum(1, length)));
        KExpr pieces = KBuilder.CeilDiv(length, ElementsPerTask);
        KExpr groups = KBuilder.Divide(KBuilder.Add(KBuilder.Value(rows), KBuilder.Subtract(rowsPerTask, 1)), rowsPerTask);
        bool isWhole = _length is { IsStatic: true, Value: <= ElementsPerTask };
        KExpr group = isWhole ? task : _b.Let("group", KBuilder.Divide(task, KBuilder.Maximum(1, pieces)));
        KExpr begin = _b.Let("begin", KBuilder.Multiply(group, rowsPerTask));
        KExpr end = _b.Let("end", KBuilder.Minimum(KBuilder.Add(begin, rowsPerTask), KBuilder.Value(rows)));
        KExpr from = 0;
        KExpr to = length;
        if (!isWhole)
        {
            KExpr piece = KBuilder.Remainder(task, KBuilder.Maximum(1, pieces));
            from = _b.Let("from", KBuilder.Multiply(piece, ElementsPerTask));
            to = _b.Let("to", KBuilder.Minimum(KBuilder.Add(from, ElementsPerTask), length));
        }
        _b.For("row", begin, end, 1, row =>
        {
            KExpr there = _b.Let("there", RowInResult(row));
            Dim start = 0;
            foreach (Node operand in _join.Operands)
            {
                CopyStrip(operand, row, there, start, isWhole ? null : (from, to));
                start += StripOf(operand);
            }
        });
        Dim bytes = _join.Operands.Where(o => _sources[((ParameterOp)o.Op).Number] is not null)
            .Aggregate((Dim)0, (sum, o) => sum + o.Type.SizeInBytes);
        var cost = new KernelCost(0, bytes * 2);
        var kernel = new Kernel(name, _arguments.Buffers, task, KBuilder.Multiply(groups, pieces), _b.ToBlock(), cost);
        return new LoweredKernel(kernel, _arguments.Operands);
    }

    // What lies together of each operand: the dimension that grows, and those behind it.
    private Dim StripOf(Node node) => node.Shape.Skip(((ConcatenateOp)_join.Op).Dimension).Aggregate((Dim)1, (n, d) => n * d);

    // Where a row begins in the result.
    private KExpr RowInResult(KExpr row)
    {
        if (_pad is null)
        {
            return KBuilder.Multiply(row, KBuilder.Value(_length));
        }
        Dim[] strides = _whole.Strides();
        KExpr at = 0;
        for (int axis = ((ConcatenateOp)_join.Op).Dimension - 1; axis >= 0; axis--)
        {
            KExpr size = KBuilder.Value(_join.Shape[axis]);
            KExpr index = axis == 0 ? row : _b.Let("at", KBuilder.Remainder(row, size));
            at = KBuilder.Add(at, KBuilder.Multiply(KBuilder.Add(index, KBuilder.Value(_pad.Low[axis])), KBuilder.Value(strides[axis])));
            row = axis == 0 ? row : _b.Let("rest", KBuilder.Divide(row, size));
        }
        return at;
    }

    private void CopyStrip(Node operand, KExpr row, KExpr there, Dim start, (KExpr From, KExpr To)? piece)
    {
        if (_sources[((ParameterOp)operand.Op).Number] is not { } source)
        {
            return;
        }
        Dim strip = StripOf(operand);
        KExpr first = KBuilder.Value(start);
        KExpr last = KBuilder.Value(start + strip);
        if (piece is { } range)
        {
            first = _b.Let("first", KBuilder.Maximum(first, range.From));
            last = _b.Let("last", KBuilder.Minimum(last, range.To));
            _b.If(KBuilder.Less(first, last), Copy);
        }
        else
        {
            Copy();
        }

        // Where it is known that there is a vector, the last one ends with the strip; what is written around the caches is written once.
        void Copy()
        {
            KExpr here = _b.Let("here", KBuilder.Subtract(KBuilder.Multiply(row, KBuilder.Value(strip)), KBuilder.Value(start)));
            _b.ForVectors(first, last, _lanes, mayRepeat: !_streams, body: (i, mask) =>
            {
                KExpr at = KBuilder.Add(there, i);
                var lanes = new KLoad(source, KBuilder.Add(here, i), _lanes, mask);
                _b.Add(new KStore(_result, at, lanes, mask, IsStreaming: _streams && mask is null));
            });
        }
    }
}
