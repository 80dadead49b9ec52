namespace Graphene.Codegen;

// The first kernel: patches into the points of the transform. A patch that reaches over the border of its image is
// copied into scratch first, where zeros stand around it.
internal sealed partial class WinogradConvolutionLowering
{
    private LoweredKernel EmitPatches(string name, KernelOperand.Workspace workspace, TileBlocks blocks)
    {
        var b = new KBuilder();
        var arguments = new KernelArguments();
        KBuffer from = arguments.Input("input", DType.F32, _fusion.Source.Arguments.Operands[_input.Load.Source]);
        KBuffer to = arguments.Output("patches", DType.F32, workspace);
        var emitter = new ExprEmitter(b, new ExprAnalysis(), _ => from);
        var task = new KVariable("task", KType.Index);

        // A group that is not full holds the last tile several times, which is never stored.
        KExpr tasks = blocks.AreCalledApart ? blocks.GroupsPerBlock * _rows
            : _tiles.IsStatic ? KBuilder.Value(_tiles)
            : KBuilder.Multiply(KBuilder.Value(Groups), _rows);
        KExpr ofBlock = blocks.AreCalledApart
            ? KBuilder.Add(KBuilder.Multiply(blocks.GroupAt(KBuilder.Divide(task, _rows)), _rows), KBuilder.Remainder(task, _rows))
            : task;
        KExpr tile = _tiles.IsStatic && !blocks.AreCalledApart
            ? task
            : b.Let("tile", KBuilder.Minimum(ofBlock, KBuilder.Subtract(KBuilder.Value(_tiles), 1)));
        (KExpr image, KExpr row, KExpr column) = PlaceOf(b, tile);
        KExpr[] begin = [b.Let("y", KBuilder.Add(row, _first[0])), b.Let("x", KBuilder.Add(column, _first[1]))];
        emitter.Bind(Batch, image);
        emitter.Bind(_place[0], begin[0]);
        emitter.Bind(_place[1], begin[1]);
        emitter.Bind(_place[2], 0);
        KExpr source = b.Let("from", emitter.EmitPosition(_input.Index));
        KExpr target = b.Let("to", KBuilder.Add(
            KBuilder.Multiply(KBuilder.Divide(task, _rows), GroupSize), KBuilder.Multiply(KBuilder.Remainder(task, _rows), _sum.Lanes)));
        KExpr Step(int dimension, KExpr count) =>
            KBuilder.Multiply(count, KBuilder.Value(_input.Index[_place[dimension]] * _spans[dimension].Dilation));
        KExpr Place(KExpr y, KExpr x) => KBuilder.Add(KBuilder.Add(source, Step(0, y)), Step(1, x));

        void Transform(KExpr channel, Func<int, int, KExpr> read) => _transform.EmitInput(b, read, (y, x, value) => b.Store(
            to,
            KBuilder.Add(KBuilder.Add(target, KBuilder.Multiply(channel, _rows)), ((y * _transform.Patch) + x) * GroupElements),
            value));

        void Inner() => ForInputs(b, (channel, mask) => Transform(
            channel, (y, x) => new KLoad(from, KBuilder.Add(Place(y, x), channel), _sum.Lanes, mask)));

        if (Inside(begin) is not { } isInside)
        {
            Inner();
        }
        else
        {
            KBuffer patch = b.Scratch("patch", DType.F32, _transform.Positions * _sum.Lanes);
            b.If(isInside, Inner, () => EmitBorder(b, begin, patch, (y, x, channel, mask) => new KLoad(
                from, KBuilder.Add(Place(y, x), channel), _sum.Lanes, mask), Transform));
        }
        Dim elements = workspace.SizeInBytes;
        var cost = new KernelCost(elements, elements + Dim.FloorDiv(_input.Load.SourceType.SizeInBytes, blocks.Calls));
        return new LoweredKernel(
            new Kernel(name, arguments.Buffers, task, tasks, b.ToBlock(), cost) { Sizes = blocks.AreCalledApart ? [Block] : [] },
            arguments.Operands);
    }

    // Zeros once; each vector of features then writes over the same places inside of the image.
    private void EmitBorder(
        KBuilder b, KExpr[] begin, KBuffer patch, Func<KExpr, KExpr, KExpr, KExpr?, KExpr> read, Action<KExpr, Func<int, int, KExpr>> transform)
    {
        int lanes = _sum.Lanes;
        b.For("i", 0, _transform.Positions * lanes, lanes, i => b.Store(patch, i, new KConstant(Scalar.Zero(DType.F32), lanes)));

        // How many places of the patch lie before a place of the image.
        KExpr Before(int dimension, KExpr place) =>
            KBuilder.CeilDiv(KBuilder.Maximum(0, KBuilder.Subtract(place, begin[dimension])), _spans[dimension].Dilation);
        KExpr[] low = [.. begin.Select((_, i) => b.Let("low", Before(i, 0)))];
        KExpr[] high = [.. begin.Select((_, i) => b.Let("high", KBuilder.Minimum(_transform.Patch, Before(i, _size[i]))))];
        ForInputs(b, (channel, mask) =>
        {
            b.For("y", low[0], high[0], 1, y => b.For("x", low[1], high[1], 1, x => b.Store(
                patch,
                KBuilder.Multiply(KBuilder.Add(KBuilder.Multiply(y, _transform.Patch), x), lanes),
                read(y, x, channel, mask))));
            transform(channel, (y, x) => new KLoad(patch, ((y * _transform.Patch) + x) * lanes, lanes));
        });
    }

    // Whole vectors of input features, then those that are left over, under a mask.
    private void ForInputs(KBuilder b, Action<KExpr, KExpr?> body)
    {
        int whole = _inputs / _sum.Lanes * _sum.Lanes;
        b.For("c", 0, whole, _sum.Lanes, channel => body(channel, null));
        if (whole < _inputs)
        {
            body(whole, b.Let("mask", KBuilder.Less(
                new KRamp(0, 1, _sum.Lanes), KBuilder.Broadcast(_inputs - whole, _sum.Lanes))));
        }
    }

    // Whether all of a patch lies in its image; null when that is so for every patch.
    private KExpr? Inside(KExpr[] begin)
    {
        KExpr? inside = null;
        void Require(KExpr condition) => inside = inside is null ? condition : KBuilder.Call(ScalarOp.And, inside, condition);
        for (int i = 0; i < begin.Length; i++)
        {
            if (_first[i] < 0)
            {
                Require(KBuilder.Call(ScalarOp.LessOrEqual, 0, begin[i]));
            }
            long last = (_transform.Patch - 1) * _spans[i].Dilation;
            if (_first[i] + _spans[i].Last + last >= _size[i])
            {
                Require(KBuilder.Less(KBuilder.Add(begin[i], last), _size[i]));
            }
        }
        return inside;
    }
}
