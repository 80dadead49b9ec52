namespace Graphene.Codegen;

// The second kernel: products at each position, and results of their sums.
internal sealed partial class WinogradConvolutionLowering
{
    private LoweredKernel EmitProducts(string name, KernelOperand.Workspace workspace, WinogradWeights weights)
    {
        KernelArguments arguments = _fusion.Source.Arguments;
        KBuffer patches = arguments.Input("patches", DType.F32, workspace);
        KBuffer packed = arguments.Input("weights", DType.F32, new KernelOperand.Constant(weights));
        var b = new KBuilder();
        var emitter = new ExprEmitter(b, new ExprAnalysis(), _fusion.Source.Source);
        var task = new KVariable("task", KType.Index);
        (KExpr blocks, long groupsPerBlock, long groupsPerTask) = Blocks();
        long parts = DimMath.CeilDiv(groupsPerBlock, groupsPerTask);

        KExpr part = b.Let("part", KBuilder.Remainder(task, parts));
        KExpr rest = b.Let("rest", KBuilder.Divide(task, parts));
        KExpr panel = b.Let("panel", KBuilder.Remainder(rest, Panels));
        KExpr block = b.Let("group0", KBuilder.Multiply(KBuilder.Divide(rest, Panels), groupsPerBlock));
        KExpr first = b.Let("group1", KBuilder.Add(block, KBuilder.Multiply(part, groupsPerTask)));
        KExpr end = KBuilder.Minimum(KBuilder.Add(block, groupsPerBlock), KBuilder.Value(Groups));
        end = b.Let("group2", KBuilder.Minimum(KBuilder.Add(first, groupsPerTask), end));
        KBuffer sums = b.Scratch("sums", DType.F32, (long)_transform.Positions * _rows * _width);
        void Group(KExpr group, int rows) => emitter.InScope(() =>
        {
            KExpr inBlock = KBuilder.Subtract(group, block);
            EmitPositions(b, patches, packed, sums, group, panel, rows, Prefetch(b, packed, panel, inBlock, groupsPerBlock));
            EmitResults(b, emitter, sums, group, panel, rows);
        });

        int last = _tiles.IsStatic ? (int)(_tiles.Value % _rows) : 0;
        KExpr whole = last == 0 ? end : b.Let("whole", KBuilder.Maximum(first, KBuilder.Minimum(end, _tiles.Value / _rows)));
        b.For("group", first, whole, 1, group => Group(group, _rows));
        if (last > 0)
        {
            b.If(KBuilder.Less(whole, end), () => Group(whole, last));
        }

        Dim flops = _tiles * (2L * _transform.Positions * _inputs * _outputs);
        Dim bytes = workspace.SizeInBytes + weights.SizeInBytes + _fusion.Hero.Type.SizeInBytes;
        KExpr tasks = KBuilder.Multiply(KBuilder.Multiply(blocks, Panels), parts);
        return new LoweredKernel(
            new Kernel(name, arguments.Buffers, task, tasks, b.ToBlock(), new KernelCost(flops, bytes)), arguments.Operands);
    }

    // Blocks whose patches fit the second cache with two panels, in parts for threads.
    private (KExpr Blocks, long GroupsPerBlock, long GroupsPerTask) Blocks()
    {
        long cache = _target.Caches.SecondLevelInBytes;
        long room = Math.Max(cache / 4, (cache * 7 / 8) - (2L * _transform.Positions * _inputs * _width * sizeof(float)));
        long most = Math.Clamp(room / (GroupSize * sizeof(float)), 1, MostGroupsOfBlock);
        long flops = 2L * _transform.Positions * _rows * _inputs * _width;
        long fewest = Math.Max(1, FlopsPerTask / Math.Max(1, flops));
        if (!Groups.IsStatic)
        {
            return (KBuilder.CeilDiv(KBuilder.Value(Groups), most), most, Math.Min(most, fewest));
        }
        long groups = Math.Max(1, Groups.Value);
        long blocks = DimMath.CeilDiv(groups, most);
        long perBlock = DimMath.CeilDiv(groups, blocks);
        long parts = Math.Clamp(DimMath.CeilDiv(EnoughTasks, blocks * Panels), 1, Math.Max(1, perBlock / fewest));
        return (DimMath.CeilDiv(groups, perBlock), perBlock, DimMath.CeilDiv(perBlock, parts));
    }

    private void EmitPositions(
        KBuilder b, KBuffer patches, KBuffer packed, KBuffer sums, KExpr group, KExpr panel, int rows, Action<KExpr>? prefetch)
    {
        int lanes = _sum.Lanes;
        KExpr firstPatch = b.Let("patches", KBuilder.Multiply(group, GroupSize));
        KExpr firstWeight = b.Let("weights", KBuilder.Multiply(panel, (long)_transform.Positions * _inputs * _width));
        b.For("position", 0, _transform.Positions, 1, position =>
        {
            KExpr left = b.Let("left", KBuilder.Add(firstPatch, KBuilder.Multiply(position, GroupElements)));
            KExpr right = b.Let("right", KBuilder.Add(firstWeight, KBuilder.Multiply(position, (long)_inputs * _width)));
            KExpr depth = b.Let("depth", KBuilder.Multiply(position, _inputs));
            KExpr to = b.Let("sums", KBuilder.Multiply(position, (long)_rows * _width));
            var tile = new RegisterTile(b, rows, _width / lanes, _sum);
            void Inputs(KExpr channel, int count)
            {
                KExpr a = b.Let("a", KBuilder.Add(left, KBuilder.Multiply(channel, _rows)));
                KExpr w = b.Let("w", KBuilder.Add(right, KBuilder.Multiply(channel, _width)));
                b.For("k", 0, count, 1, k =>
                {
                    prefetch?.Invoke(KBuilder.Add(KBuilder.Add(depth, channel), k));
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
        });
    }

    // Gives what asks for a part of the next panel at each k; the groups of a block share it. Null where all weights stay near anyway.
    private Action<KExpr>? Prefetch(KBuilder b, KBuffer packed, KExpr panel, KExpr groupInBlock, long groupsPerBlock)
    {
        long depth = (long)_transform.Positions * _inputs;
        if (Panels * depth * _width * sizeof(float) <= _target.Caches.SecondLevelInBytes / 4)
        {
            return null;
        }
        int line = CacheSizes.LineInBytes / sizeof(float);
        long step = DimMath.CeilDiv(_width, groupsPerBlock);
        KExpr start = b.Let("next", KBuilder.Add(
            KBuilder.Multiply(KBuilder.Add(panel, 1), depth * _width), KBuilder.Multiply(groupInBlock, depth * step)));
        return k =>
        {
            KExpr at = KBuilder.Add(start, KBuilder.Multiply(k, step));
            for (long i = 0; i < step; i += line)
            {
                b.Add(new KPrefetch(packed, KBuilder.Add(at, i)));
            }
        };
    }

    private void EmitResults(KBuilder b, ExprEmitter emitter, KBuffer sums, KExpr group, KExpr panel, int rows)
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
            KExpr from = b.Let("from", KBuilder.Multiply(i, _width));
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

    // A vector of outputs of one tile.
    private void EmitTile(KBuilder b, ExprEmitter emitter, KBuffer sums, KExpr from, KExpr row, KExpr column)
    {
        int tile = _transform.Tile;
        (IndexVariable y, IndexVariable x) = (_fusion.At[_dimensions.ResultSpatial[0]], _fusion.At[_dimensions.ResultSpatial[1]]);
        emitter.Hoist(_fusion.Roots.Select(r => r.Element), [y, x, _fusion.Value]);
        var results = new KExpr[tile, tile];
        _transform.EmitOutput(
            b,
            (i, j) => new KLoad(sums, KBuilder.Add(from, ((i * _transform.Patch) + j) * (long)_rows * _width), _sum.Lanes),
            (i, j, value) => results[i, j] = value);
        for (int i = 0; i < tile; i++)
        {
            int down = i;
            IfPresent(b, KBuilder.Add(row, down), 0, down, () =>
            {
                for (int j = 0; j < tile; j++)
                {
                    int right = j;
                    IfPresent(b, KBuilder.Add(column, right), 1, right, () => emitter.InScope(() =>
                    {
                        emitter.Bind(y, b.Let("y", KBuilder.Add(row, down)));
                        emitter.Bind(x, b.Let("x", KBuilder.Add(column, right)));
                        emitter.Bind(_fusion.Value, results[down, right]);
                        foreach (EpilogueRoot root in _fusion.Roots)
                        {
                            emitter.Store(root.Output, root.Store, emitter.EmitLanes(root.Element));
                        }
                    }));
                }
            });
        }
    }

    // The last tile of a row or column may reach over the image.
    private void IfPresent(KBuilder b, KExpr at, int dimension, int offset, Action body)
    {
        long rest = _result[dimension] % _transform.Tile;
        if (rest == 0 || offset < rest)
        {
            body();
        }
        else
        {
            b.If(KBuilder.Less(at, _result[dimension]), body);
        }
    }
}
