using Graphene.Optimizer;

namespace Graphene.Codegen;

// The second kernel: products at each position, and results of their sums.
internal sealed partial class WinogradConvolutionLowering
{
    private LoweredKernel EmitProducts(
        string name, KernelOperand.Workspace workspace, WinogradWeights weights, TileBlocks blocks)
    {
        KernelArguments arguments = _fusion.Source.Arguments;
        KBuffer patches = arguments.Input("patches", DType.F32, workspace);
        KBuffer packed = arguments.Input("weights", DType.F32, new KernelOperand.Constant(weights));
        var b = new KBuilder();
        var emitter = new ExprEmitter(b, new ExprAnalysis(), _fusion.Source.Source);
        var task = new KVariable("task", KType.Index);
        (KExpr block, KExpr part, KExpr panel) = PartOf(b, task, blocks);
        KExpr first = b.Let("place1", KBuilder.Add(block, KBuilder.Multiply(part, blocks.GroupsPerTask)));
        KExpr end = KBuilder.Add(block, blocks.GroupsPerBlock);
        end = blocks.AreCalledApart ? end : KBuilder.Minimum(end, KBuilder.Value(Groups));
        end = b.Let("place2", KBuilder.Minimum(KBuilder.Add(first, blocks.GroupsPerTask), end));
        KBuffer sums = b.Scratch("sums", DType.F32, GroupsAtOnce * SumsOfGroup);
        if (GroupsAtOnce == 1)
        {
            b.For("place", first, end, 1, place => AtOnce(place, null));
        }
        else
        {
            b.For("places", first, end, GroupsAtOnce, from => AtOnce(
                from, b.Let("end", KBuilder.Minimum(KBuilder.Add(from, GroupsAtOnce), end))));
        }

        // A group, or those of places up to an end: their sums at each position, then their results.
        void AtOnce(KExpr from, KExpr? to)
        {
            void EachGroup(Action<KExpr, KExpr, int, KExpr> body)
            {
                void Group(KExpr place) => ForRows(
                    b, b.Let("group", blocks.GroupAt(place)), blocks,
                    (group, rows) => emitter.InScope(() => body(place, group, rows, KBuilder.Multiply(KBuilder.Subtract(place, from), SumsOfGroup))));

                if (to is null)
                {
                    Group(from);
                }
                else
                {
                    b.For("place", from, to, 1, Group);
                }
            }

            b.For("position", 0, _transform.Positions, 1, position => EachGroup(
                (place, _, rows, at) => EmitPosition(b, patches, packed, sums, place, panel, position, rows, at, Prefetch(
                    b, packed, panel, position, KBuilder.Subtract(place, block), KBuilder.Subtract(place, from), blocks))));
            EachGroup((_, group, rows, at) => EmitResults(b, emitter, sums, at, group, panel, rows));
        }

        Dim flops = Dim.FloorDiv(_tiles * (2L * _transform.Positions * _inputs * _outputs), blocks.Calls);
        Dim bytes = workspace.SizeInBytes + weights.SizeInBytes + Dim.FloorDiv(_fusion.Hero.Type.SizeInBytes, blocks.Calls);
        KExpr tasks = KBuilder.Multiply(blocks.AreCalledApart ? 1 : KBuilder.CeilDiv(KBuilder.Value(Groups), blocks.GroupsPerBlock), Panels * blocks.Parts);
        var kernel = new Kernel(name, arguments.Buffers, task, tasks, b.ToBlock(), new KernelCost(flops, bytes))
        {
            Sizes = blocks.AreCalledApart ? [Block] : [],
        };
        return new LoweredKernel(kernel, arguments.Operands);
    }

    // A group with as many tiles as it has; none that is behind the last one.
    private void ForRows(KBuilder b, KExpr group, TileBlocks blocks, Action<KExpr, int> body)
    {
        long whole = _tiles.IsStatic ? _tiles.Value / _rows : 0;
        int last = _tiles.IsStatic ? (int)(_tiles.Value % _rows) : 0;
        if (last == 0 && !blocks.HaveGaps)
        {
            body(group, _rows);
        }
        else
        {
            b.If(
                KBuilder.Less(group, whole), () => body(group, _rows),
                last == 0 ? null : () => b.If(KBuilder.Call(ScalarOp.LessOrEqual, group, whole), () => body(group, last)));
        }
    }

    // The first place of a task's block in the workspace, its part of the block and its panel. A thread's share of the tasks is a run of
    // them, so where all weights stay near, panels come last: a thread multiplies patches that it transformed. Else parts do, and a
    // panel is read once.
    private (KExpr Block, KExpr Part, KExpr Panel) PartOf(KBuilder b, KExpr task, TileBlocks blocks)
    {
        (long inner, long outer) = WeightsStayNear ? (Panels, blocks.Parts) : (blocks.Parts, (long)Panels);
        KExpr low = b.Let("low", KBuilder.Remainder(task, inner));
        KExpr rest = b.Let("rest", KBuilder.Divide(task, inner));
        KExpr high = b.Let("high", KBuilder.Remainder(rest, outer));
        KExpr block = blocks.AreCalledApart
            ? KBuilder.Value(0)
            : b.Let("block", KBuilder.Multiply(KBuilder.Divide(rest, outer), blocks.GroupsPerBlock));
        return WeightsStayNear ? (block, high, low) : (block, low, high);
    }

    private void EmitPosition(
        KBuilder b, KBuffer patches, KBuffer packed, KBuffer sums, KExpr place, KExpr panel, KExpr position, int rows, KExpr at,
        Action<KExpr>? prefetch)
    {
        int lanes = _sum.Lanes;
        KExpr left = b.Let("left", KBuilder.Add(KBuilder.Multiply(place, GroupSize), KBuilder.Multiply(position, GroupElements)));
        KExpr right = b.Let("right", FirstWeight(panel, position));
        KExpr to = b.Let("sums", KBuilder.Add(at, KBuilder.Multiply(position, (long)_rows * _width)));
        var tile = new RegisterTile(b, rows, _width / lanes, _sum);
        void Inputs(KExpr channel, int count)
        {
            KExpr a = b.Let("a", KBuilder.Add(left, KBuilder.Multiply(channel, _rows)));
            KExpr w = b.Let("w", KBuilder.Add(right, KBuilder.Multiply(channel, _width)));
            b.For("k", 0, count, 1, k =>
            {
                prefetch?.Invoke(KBuilder.Add(channel, k));
                tile.Accumulate(
                    i => new KLoad(patches, KBuilder.Add(KBuilder.Add(a, k), i * lanes)),
                    j => new KLoad(packed, KBuilder.Add(KBuilder.Add(w, KBuilder.Multiply(k, _width)), j * lanes), lanes));
            }, _target.UnrolledSteps);
        }

        int whole = _inputs / lanes * lanes;
        b.For("c", 0, whole, lanes, channel => Inputs(channel, lanes));
        if (whole < _inputs)
        {
            Inputs(whole, _inputs - whole);
        }
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < tile.Vectors; j++)
            {
                b.Store(sums, KBuilder.Add(to, (i * _width) + (j * lanes)), tile[i, j]);
            }
        }
    }

    // Gives what asks at each k for a part of the weights that come next. Of panels that stay near that is the next panel, which the groups of
    // a block share; else what the next position has in this panel, or the first one in the next panel, which the groups share that
    // are multiplied at once. Null where all weights stay near anyway.
    private Action<KExpr>? Prefetch(
        KBuilder b, KBuffer packed, KExpr panel, KExpr position, KExpr placeInBlock, KExpr placeAtOnce, TileBlocks blocks)
    {
        if (WeightsStayNear)
        {
            return null;
        }
        int line = CacheSizes.LineInBytes / sizeof(float);
        long step = DimMath.CeilDiv(_width, PanelsStayNear ? blocks.GroupsPerBlock : GroupsAtOnce);
        KExpr start = b.Let("next", PanelsStayNear
            ? KBuilder.Add(
                FirstWeight(KBuilder.Add(panel, 1), 0),
                KBuilder.Multiply(KBuilder.Add(KBuilder.Multiply(placeInBlock, _transform.Positions), position), _inputs * step))
            : KBuilder.Add(FirstWeight(panel, KBuilder.Add(position, 1)), KBuilder.Multiply(placeAtOnce, _inputs * step)));
        return k =>
        {
            KExpr at = KBuilder.Add(start, KBuilder.Multiply(k, step));
            for (long i = 0; i < step; i += line)
            {
                b.Add(new KPrefetch(packed, KBuilder.Add(at, i)));
            }
        };
    }

    private KExpr FirstWeight(KExpr panel, KExpr position) => KBuilder.Multiply(
        KBuilder.Add(KBuilder.Multiply(panel, _transform.Positions), position), (long)_inputs * _width);

    private void EmitResults(KBuilder b, ExprEmitter emitter, KBuffer sums, KExpr at, KExpr group, KExpr panel, int rows)
    {
        int lanes = _sum.Lanes;
        int vectors = _width / lanes;
        KExpr firstTile = b.Let("tile0", KBuilder.Multiply(group, _rows));
        KExpr count = _tiles.IsStatic ? rows : KBuilder.Minimum(rows, KBuilder.Subtract(KBuilder.Value(_tiles), firstTile));
        KExpr firstOutput = b.Let("output0", KBuilder.Multiply(panel, _width));
        KExpr wholeVectors = _outputs % _width == 0 ? vectors : b.Let("vectors", KBuilder.Minimum(
            vectors, KBuilder.Divide(KBuilder.Subtract(_outputs, firstOutput), lanes)));
        int rest = _outputs % lanes;
        b.For("i", 0, b.Let("count", count), 1, i => emitter.InScope(() =>
        {
            (KExpr image, KExpr row, KExpr column) = PlaceOf(b, KBuilder.Add(firstTile, i));
            emitter.Bind(Batch, image);
            KExpr from = b.Let("from", KBuilder.Add(at, KBuilder.Multiply(i, _width)));
            void Vector(KExpr j, KExpr? mask) => emitter.WithVector(
                _fusion.At[_dimensions.ResultFeature], KBuilder.Add(firstOutput, KBuilder.Multiply(j, lanes)), lanes, mask,
                () => EmitTile(b, emitter, sums, KBuilder.Add(from, KBuilder.Multiply(j, lanes)), row, column));

            b.For("j", 0, wholeVectors, 1, j => Vector(j, null));
            if (rest > 0)
            {
                b.If(KBuilder.Less(wholeVectors, vectors), () => Vector(wholeVectors, b.Let("mask", KBuilder.Less(
                    new KRamp(0, 1, lanes), KBuilder.Broadcast(rest, lanes)))));
            }
        }));
    }

    // A vector of outputs of one tile: of each value, or of each window of values.
    private void EmitTile(KBuilder b, ExprEmitter emitter, KBuffer sums, KExpr from, KExpr row, KExpr column)
    {
        (long down, long right) = WindowSize;
        Pooling? pooling = _fusion.Pooling;
        emitter.Hoist(
            pooling is null ? _fusion.Roots.Select(r => r.Element) : pooling.Loop.Elements!,
            [.. _dimensions.ResultSpatial.Select(axis => _fusion.At[axis]), _fusion.Value, .. pooling?.Loop.Variables ?? []]);
        var values = new KExpr[_transform.Tile, _transform.Tile];
        _transform.EmitOutput(
            b,
            (i, j) => new KLoad(sums, KBuilder.Add(from, ((i * _transform.Patch) + j) * (long)_rows * _width), _sum.Lanes),
            (i, j, value) => values[i, j] = value);
        KExpr firstRow = down == 1 ? row : b.Let("row", KBuilder.Divide(row, down));
        KExpr firstColumn = right == 1 ? column : b.Let("column", KBuilder.Divide(column, right));
        for (long i = 0; i < _transform.Tile / down; i++)
        {
            long ofRow = i;
            IfPresent(b, firstRow, 0, i, y =>
            {
                for (long j = 0; j < _transform.Tile / right; j++)
                {
                    long ofColumn = j;
                    IfPresent(b, firstColumn, 1, j, x => emitter.InScope(() =>
                    {
                        emitter.Bind(_fusion.At[_dimensions.ResultSpatial[0]], b.Let("y", y));
                        emitter.Bind(_fusion.At[_dimensions.ResultSpatial[1]], b.Let("x", x));
                        if (pooling is null)
                        {
                            emitter.Bind(_fusion.Value, values[ofRow, ofColumn]);
                        }
                        else
                        {
                            KExpr[] window =
                            [
                                .. from k in Enumerable.Range(0, (int)down)
                                   from l in Enumerable.Range(0, (int)right)
                                   select values[(ofRow * down) + k, (ofColumn * right) + l],
                            ];
                            pooling.Emit(emitter, value => emitter.Bind(_fusion.Value, window[value]));
                        }
                        foreach (EpilogueRoot root in _fusion.Roots)
                        {
                            emitter.Store(root.Output, root.Store, emitter.EmitLanes(root.Element));
                        }
                    }));
                }
            });
        }
    }

    // How many rows and columns of values become one.
    private (long Down, long Right) WindowSize => _fusion.Pooling is { Window: var window }
        ? (window[_dimensions.ResultSpatial[0]].Size.Value, window[_dimensions.ResultSpatial[1]].Size.Value)
        : (1, 1);

    // How many rows or columns are stored.
    private long Stored(int dimension) => _fusion.At[_dimensions.ResultSpatial[dimension]].Extent.Value;

    // The last tile of a row or column may reach over the image.
    private void IfPresent(KBuilder b, KExpr first, int dimension, long offset, Action<KExpr> body)
    {
        WinogradSpan span = _spans[dimension];
        (long down, long right) = WindowSize;
        long distance = offset * span.Dilation;
        KExpr at = KBuilder.Add(first, distance);
        if ((span.Last / (dimension == 0 ? down : right)) + distance < Stored(dimension))
        {
            body(at);
        }
        else
        {
            b.If(KBuilder.Less(at, Stored(dimension)), () => body(at));
        }
    }
}
