namespace Graphene.Codegen;

// Products of narrow elements: several consecutive k at once, from operands that hold them together.
//
//   word = group of consecutive k in 32 bits          4 x i8, 2 x bf16 ...
//   packed[panel][word][lane]  constant, interleaved while compiling
//   sums[row][lane] += a[row][word] . packed[panel][word][lane]
//
// The left operand is read where it lies, 32 bits in every lane. Runs of k that do not end with a whole word are filled up with zeros.
internal sealed partial class MatrixProductLowering
{
    private readonly NarrowForm? _narrow;
    private KBuffer? _corrections;
    private PackedGroups? _groups;

    // The bytes that an element of the operands takes in the cache.
    private int ElementSize => _narrow is null ? _sum.Element.SizeInBytes() : _lhs.Load.DType.SizeInBytes();

    private bool IsDepthConsecutive => _lhs.Index[_depth[^1].Last] == 1;

    // Nothing but the types and k decides: bits must not depend on the number of rows.
    private NarrowForm? ChooseNarrowForm(Node fusion)
    {
        if (Constant(fusion) is null || _depth.Count == 0)
        {
            return null;
        }
        NarrowForm? Choose(DotInstructions instructions) =>
            NarrowForm.Choose(_lhs.Load.DType, _rhs.Load.DType, _product.Accumulation, instructions);

        return (FitsTiles ? Choose(_target.Dots & DotInstructions.Tiles) : null)
            ?? (IsDepthConsecutive ? Choose(_target.Dots & ~DotInstructions.Tiles) : null);
    }

    private (int Rows, int Vectors) ChooseTile() =>
        _narrow is null ? ChooseRegisterTile()
        : _narrow.UsesTiles ? ChooseMatrixTile()
        : NarrowTiles.Choose(
            _rowCount, _columns.Extent, _sum.Lanes, _target, _narrow,
            _rows.Count > 1 ? Math.Min(MostSeparateRows, MostRowsOfTile()) : MostRowsOfTile(), MostVectorsOfTile(), FitsPanels);

    // A window is one tile even where there are not as many registers as it has values.
    private (int Rows, int Vectors) ChooseRegisterTile()
    {
        (int Rows, int Vectors) tile = RegisterTiles.Choose(
            _rowCount, _columns.Extent, _sum.Lanes, _target, MostRowsOfTile(), MostVectorsOfTile(),
            (rows, vectors) => FitsPanels(vectors) && HasAddresses(rows) && rows % RowsTogether == 0, ShareOfTaps);
        return tile.Rows > 0 ? tile : (RowsTogether, 1);
    }

    private void PackGroups(NarrowForm form, PackedPanels panels)
    {
        _groups = form.UsesTiles
            ? new PackedGroups(panels, form.Right, form.Group, panels.Depth.Count, KTile.MostRows, _sum.Lanes)
            : new PackedGroups(panels, form.Right, form.Group, checked((int)_depth[^1].Extent.Value));
        _packed = _fusion.Source.Arguments.Input("packed", form.Right, new KernelOperand.Constant(_groups));
        if (form.Correction != 0)
        {
            var sums = new KernelOperand.Constant(new PackedColumnSums(_groups, form.Correction));
            _corrections = _fusion.Source.Arguments.Input("corrections", DType.I32, sums);
        }
    }

    // The number of a packed panel over all batches.
    private KExpr PanelNumber(KExpr panel) =>
        KBuilder.Add(KBuilder.Multiply(PackedBatch(), KBuilder.CeilDiv(KBuilder.Value(_columns.Extent), _packedWidth)), panel);

    // What sums start from: zero, or what makes up for a left operand that is moved.
    private Func<int, int, KExpr>? InitialSums(KExpr panel)
    {
        if (_corrections is not { } corrections)
        {
            return null;
        }
        KExpr start = _b.Let("correction", _packedWidth == PanelWidth
            ? KBuilder.Multiply(PanelNumber(panel), PanelWidth)
            : KBuilder.Add(KBuilder.Multiply(PanelNumber(0), _packedWidth), KBuilder.Multiply(panel, PanelWidth)));
        return (_, j) => new KLoad(corrections, KBuilder.Add(start, j * _sum.Lanes), _sum.Lanes);
    }

    private void EmitGroups(NarrowForm form, RegisterTile tile, KExpr[] rowBases, KExpr panel)
    {
        KBuffer lhs = _fusion.Source.Source(_lhs.Load.Source);
        int lanes = _sum.Lanes * form.Group;
        KExpr start = _b.Let("packed", PackedColumns(panel, (long)_groups!.Words * form.Group));
        EmitWords(form.Group, (lhsOffset, word, present) => tile.AccumulateGroups(
            i => LeftWord(form, lhs, KBuilder.Add(rowBases[i], lhsOffset), present),
            j => new KLoad(_packed!, KBuilder.Add(start, KBuilder.Add(
                KBuilder.Multiply(word, _packedWidth * form.Group), PackedVector(j, (long)_groups!.Words * form.Group))), lanes)));
    }

    // The loops over k, the innermost one by words, with the offset in the left operand, the word's number and its elements.
    private void EmitWords(int group, Action<KExpr, KExpr, int> body)
    {
        (long whole, long rest) = Math.DivRem(_depth[^1].Extent.Value, group);
        EmitRuns(0, 0, 0, (lhsOffset, run) =>
        {
            KExpr first = KBuilder.Multiply(run, _groups!.WordsPerRun);
            _b.For("word", 0, whole, 1, word => body(
                KBuilder.Add(lhsOffset, KBuilder.Multiply(word, group)), KBuilder.Add(first, word), group), unroll: 4);
            if (rest > 0)
            {
                body(KBuilder.Add(lhsOffset, whole * group), KBuilder.Add(first, whole), (int)rest);
            }
        });
    }

    // The loops over k but for the innermost one, with the offset in the left operand and the number of the run.
    private void EmitRuns(int depth, KExpr lhsOffset, KExpr run, Action<KExpr, KExpr> body)
    {
        if (depth == _depth.Count - 1)
        {
            body(lhsOffset, run);
            return;
        }
        LoopGroup loop = _depth[depth];
        KExpr extent = KBuilder.Value(loop.Extent);
        _b.For("k", 0, extent, 1, counter => EmitRuns(
            depth + 1,
            KBuilder.Add(lhsOffset, KBuilder.Multiply(counter, KBuilder.Value(_lhs.Index[loop.Last]))),
            KBuilder.Add(KBuilder.Multiply(run, extent), counter), body));
    }

    // A group of the left operand, repeated for each lane.
    private KExpr LeftWord(NarrowForm form, KBuffer lhs, KExpr at, int present)
    {
        KExpr? mask = present == form.Group
            ? null
            : KBuilder.Less(new KRamp(0, 1, form.Group), KBuilder.Broadcast(present, form.Group));
        KExpr word = new KLoad(lhs, at, form.Group, mask);
        if (form.Left == DType.I16)
        {
            word = new KConvert(word, DType.I16);
        }
        int lanes = _sum.Lanes * form.Group;
        KExpr all = new KShuffle(word, Enumerable.Range(0, lanes).Select(i => i % form.Group).ToValueList());
        return form.MovesLeft
            ? new KBitcast(KBuilder.Call(ScalarOp.Xor, all, new KConstant(Scalar.FromBits(lhs.Element, 0x80), lanes)), form.Left)
            : all;
    }
}
