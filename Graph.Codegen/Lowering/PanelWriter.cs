namespace Graphene.Codegen;

/// <summary>Writes the panels of a packed matrix, piece by piece.</summary>
/// <remarks>
/// <code>
/// k near each other:        a piece is all k of some panels     reads columns, which go to lanes
/// columns near each other:  a piece is some k of all panels     reads rows, runs of which go to rows of the panels
/// </code>
/// A piece needs no more of the matrix than a second cache holds: what is read is spread over the panels from there, and of a matrix
/// that is stored elsewhere never more than that is in memory. A matrix whose elements are in no such order is read at once.
/// </remarks>
/// <typeparam name="T">An unsigned integer as wide as an element.</typeparam>
internal sealed class PanelWriter<T>
    where T : unmanaged
{
    private const int LargestReadInBytes = 1 << 20;
    private const int MostPanelsPerPiece = 16;
    private const int MostDepthPerPiece = 256;
    private const int DepthPerBlock = 64;
    private const long BytesWorthThreads = 8 << 20;

    private readonly Literal _matrix;
    private readonly long[] _batches;
    private readonly long[] _depth;
    private readonly long[] _columns;
    private readonly int _width;
    private readonly bool _columnsAreConsecutive;
    private readonly bool _depthIsConsecutive;
    private readonly bool _isReadAtOnce;
    private readonly int _panelsPerPiece;
    private readonly int _depthPerPiece;

    public PanelWriter(PackedPanels panels)
    {
        _matrix = panels.Matrix;
        _batches = [.. panels.Batches];
        _depth = [.. panels.Depth];
        _columns = [.. panels.Columns];
        _width = panels.Width;
        _columnsAreConsecutive = AreConsecutive(_columns);
        _depthIsConsecutive = AreConsecutive(_depth);
        bool isSmall = _matrix.SizeInBytes <= LargestReadInBytes || _columns.Length == 0 || _depth.Length == 0;
        (int Panels, int Depth)? cut = isSmall ? null : Cut();
        _isReadAtOnce = cut is null;
        (_panelsPerPiece, _depthPerPiece) = cut ?? (MostPanelsPerPiece, _depth.Length);
    }

    private int PanelCount => (_columns.Length + _width - 1) / _width;

    private int PiecesOfPanels => (PanelCount + _panelsPerPiece - 1) / _panelsPerPiece;

    private int PiecesOfDepth => (_depth.Length + _depthPerPiece - 1) / _depthPerPiece;

    /// <summary>Writes all panels of all batches.</summary>
    public unsafe void Write(Span<T> target)
    {
        if (target.IsEmpty)
        {
            return;
        }
        using LiteralPart? whole = _isReadAtOnce ? _matrix.Part() : null;
        int tasks = checked(_batches.Length * PiecesOfPanels * PiecesOfDepth);
        fixed (T* pointer = target)
        {
            // A span cannot go into a lambda; the memory stays where it is until all tasks are done.
            nint address = (nint)pointer;
            bool isLarge = (long)target.Length * sizeof(T) >= BytesWorthThreads;
            Parallel.For(
                0, tasks, new ParallelOptions { MaxDegreeOfParallelism = isLarge ? -1 : 1 },
                task => WritePiece(PieceOf(task), whole, (T*)address));
        }
    }

    // How many panels, or how many k, need few enough bytes of the matrix. When neither does, single panels are still better than all of
    // it, if they do not need most of it each; null when they do.
    private unsafe (int Panels, int Depth)? Cut()
    {
        for (int panels = MostPanelsPerPiece; panels > 0; panels /= 2)
        {
            if (MostNeeded(_columns, panels * _width, _depth) * sizeof(T) <= LargestReadInBytes)
            {
                return (panels, _depth.Length);
            }
        }
        for (int depth = MostDepthPerPiece; depth > 0; depth /= 2)
        {
            if (MostNeeded(_depth, depth, _columns) * sizeof(T) <= LargestReadInBytes)
            {
                return (PanelCount, depth);
            }
        }
        return MostNeeded(_columns, _width, _depth) * sizeof(T) <= _matrix.SizeInBytes / 4 ? (1, _depth.Length) : null;
    }

    // The most elements from the first to the last that a piece of some offsets needs, together with all others.
    private static long MostNeeded(long[] offsets, int perPiece, long[] others)
    {
        (long nearest, long farthest) = Range(others);
        long most = 0;
        for (int first = 0; first < offsets.Length; first += perPiece)
        {
            (long low, long high) = Range(offsets.AsSpan(first, Math.Min(perPiece, offsets.Length - first)));
            most = Math.Max(most, high - low);
        }
        return most + farthest - nearest + 1;
    }

    private Piece PieceOf(int task)
    {
        (int rest, int pieceOfDepth) = Math.DivRem(task, PiecesOfDepth);
        (int batch, int pieceOfPanels) = Math.DivRem(rest, PiecesOfPanels);
        int panel = pieceOfPanels * _panelsPerPiece;
        int k = pieceOfDepth * _depthPerPiece;
        return new Piece(
            batch, panel, Math.Min(panel + _panelsPerPiece, PanelCount), k, Math.Min(k + _depthPerPiece, _depth.Length));
    }

    private unsafe void WritePiece(Piece piece, LiteralPart? whole, T* panels)
    {
        if (whole is not null)
        {
            Write(whole.As<T>(), _batches[piece.Batch], piece, panels);
            return;
        }
        (long start, long length) = Needed(piece);
        long origin = _batches[piece.Batch] + start;
        using LiteralPart part = _matrix.Part(origin * sizeof(T), checked((int)(length * sizeof(T))));
        Write(part.As<T>(), -start, piece, panels);
    }

    // The elements of the batch begin at an offset of the source, which may be before what is there of it.
    private unsafe void Write(ReadOnlySpan<T> source, long batch, Piece piece, T* panels)
    {
        int depth = piece.EndDepth - piece.FirstDepth;
        for (int panel = piece.FirstPanel; panel < piece.EndPanel; panel++)
        {
            int first = panel * _width;
            ReadOnlySpan<long> columns = _columns.AsSpan(first, Math.Min(_width, _columns.Length - first));
            long offset = ((((long)piece.Batch * PanelCount) + panel) * _depth.Length) + piece.FirstDepth;
            var rows = new Span<T>(panels + (offset * _width), depth * _width);
            if (columns.Length < _width)
            {
                rows.Clear();
            }
            ReadOnlySpan<long> offsets = _depth.AsSpan(piece.FirstDepth, depth);
            if (_columnsAreConsecutive)
            {
                WriteRuns(source, batch + columns[0], offsets, columns.Length, rows);
            }
            else
            {
                WriteColumns(source, batch, offsets, columns, rows);
            }
        }
    }

    private void WriteRuns(ReadOnlySpan<T> source, long start, ReadOnlySpan<long> depth, int columns, Span<T> rows)
    {
        for (int k = 0; k < depth.Length; k++)
        {
            source.Slice((int)(start + depth[k]), columns).CopyTo(rows.Slice(k * _width, columns));
        }
    }

    // In blocks of k, so that the rows which all columns go to stay in the nearest cache.
    private void WriteColumns(
        ReadOnlySpan<T> source, long batch, ReadOnlySpan<long> depth, ReadOnlySpan<long> columns, Span<T> rows)
    {
        for (int first = 0; first < depth.Length; first += DepthPerBlock)
        {
            int end = Math.Min(depth.Length, first + DepthPerBlock);
            for (int lane = 0; lane < columns.Length; lane++)
            {
                long start = batch + columns[lane];
                int at = (first * _width) + lane;
                if (_depthIsConsecutive)
                {
                    foreach (T element in source.Slice((int)(start + depth[first]), end - first))
                    {
                        rows[at] = element;
                        at += _width;
                    }
                    continue;
                }
                for (int k = first; k < end; k++, at += _width)
                {
                    rows[at] = source[(int)(start + depth[k])];
                }
            }
        }
    }

    // Where the elements that a piece needs begin and how many there are, relative to the batch.
    private (long Start, long Length) Needed(Piece piece)
    {
        int first = piece.FirstPanel * _width;
        (long low, long high) = Range(_columns.AsSpan(first, Math.Min(piece.EndPanel * _width, _columns.Length) - first));
        (long nearest, long farthest) = Range(_depth.AsSpan(piece.FirstDepth, piece.EndDepth - piece.FirstDepth));
        return (low + nearest, high - low + farthest - nearest + 1);
    }

    private static (long Low, long High) Range(ReadOnlySpan<long> offsets)
    {
        long low = offsets[0];
        long high = low;
        foreach (long offset in offsets)
        {
            low = Math.Min(low, offset);
            high = Math.Max(high, offset);
        }
        return (low, high);
    }

    private static bool AreConsecutive(long[] offsets)
    {
        for (int i = 1; i < offsets.Length; i++)
        {
            if (offsets[i] != offsets[i - 1] + 1)
            {
                return false;
            }
        }
        return true;
    }

    private readonly record struct Piece(int Batch, int FirstPanel, int EndPanel, int FirstDepth, int EndDepth);
}
