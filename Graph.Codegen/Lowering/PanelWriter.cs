namespace Graphene.Codegen;

/// <summary>Writes the panels of a packed matrix, several panels at a time.</summary>
/// <remarks>
/// <code>
/// columns consecutive:  for k: one run of the matrix goes to the rows k of neighbouring panels     reads long runs
/// otherwise:            for block of k: for lane: a column goes to one lane of the block's rows    the block stays in the cache
/// </code>
/// Of a matrix that is not in memory only what a group of panels needs is read, when that is less than the whole.
/// </remarks>
/// <typeparam name="T">An unsigned integer as wide as an element.</typeparam>
internal sealed class PanelWriter<T>
    where T : unmanaged
{
    private const int PanelsPerGroup = 16;
    private const int DepthPerBlock = 64;
    private const long LargestReadInBytes = 16 << 20;
    private const long BytesWorthThreads = 8 << 20;

    private readonly Literal _matrix;
    private readonly long[] _batches;
    private readonly long[] _depth;
    private readonly long[] _columns;
    private readonly int _width;
    private readonly bool _columnsAreConsecutive;
    private readonly bool _depthIsConsecutive;
    private readonly int _groups;

    public PanelWriter(PackedPanels panels)
    {
        _matrix = panels.Matrix;
        _batches = [.. panels.Batches];
        _depth = [.. panels.Depth];
        _columns = [.. panels.Columns];
        _width = panels.Width;
        _columnsAreConsecutive = AreConsecutive(_columns);
        _depthIsConsecutive = AreConsecutive(_depth);
        _groups = (PanelCount + PanelsPerGroup - 1) / PanelsPerGroup;
    }

    private int PanelCount => (_columns.Length + _width - 1) / _width;

    private int PanelLength => _depth.Length * _width;

    /// <summary>Writes all panels of all batches.</summary>
    public unsafe void Write(Span<T> target)
    {
        if (target.IsEmpty)
        {
            return;
        }
        bool readsByGroup = _matrix.SizeInBytes > LargestReadInBytes && Needed(0).Length * sizeof(T) <= LargestReadInBytes;
        using LiteralPart? whole = readsByGroup ? null : _matrix.Part();
        int tasks = checked(_batches.Length * _groups);
        fixed (T* pointer = target)
        {
            // A span cannot go into a lambda; the memory stays where it is until all tasks are done.
            nint address = (nint)pointer;
            void Run(int task) => WriteGroup(task / _groups, task % _groups, whole, (T*)address);
            bool isLarge = (long)target.Length * sizeof(T) >= BytesWorthThreads;
            Parallel.For(0, tasks, new ParallelOptions { MaxDegreeOfParallelism = isLarge ? -1 : 1 }, Run);
        }
    }

    private unsafe void WriteGroup(int batch, int group, LiteralPart? whole, T* panels)
    {
        int first = group * PanelsPerGroup;
        int count = Math.Min(PanelsPerGroup, PanelCount - first);
        long offset = ((long)batch * PanelCount) + first;
        var target = new Span<T>(panels + (offset * PanelLength), count * PanelLength);
        int present = Math.Min(count * _width, _columns.Length - (first * _width));
        if (present < count * _width)
        {
            target[((count - 1) * PanelLength)..].Clear();
        }
        ReadOnlySpan<long> columns = _columns.AsSpan(first * _width, present);
        if (whole is not null)
        {
            Write(whole.As<T>(), _batches[batch], columns, target);
            return;
        }
        (long start, long length) = Needed(group);
        long origin = _batches[batch] + start;
        using LiteralPart part = _matrix.Part(origin * sizeof(T), checked((int)(length * sizeof(T))));
        Write(part.As<T>(), _batches[batch] - origin, columns, target);
    }

    private void Write(ReadOnlySpan<T> source, long batch, ReadOnlySpan<long> columns, Span<T> target)
    {
        if (_columnsAreConsecutive)
        {
            WriteRuns(source, batch + columns[0], columns.Length, target);
            return;
        }
        for (int first = 0; first < columns.Length; first += _width)
        {
            Span<T> panel = target.Slice(first / _width * PanelLength, PanelLength);
            WriteColumns(source, batch, columns.Slice(first, Math.Min(_width, columns.Length - first)), panel);
        }
    }

    private void WriteRuns(ReadOnlySpan<T> source, long start, int columns, Span<T> target)
    {
        for (int k = 0; k < _depth.Length; k++)
        {
            ReadOnlySpan<T> run = source.Slice((int)(start + _depth[k]), columns);
            for (int at = k * _width; run.Length > 0; at += PanelLength)
            {
                int present = Math.Min(_width, run.Length);
                run[..present].CopyTo(target.Slice(at, present));
                run = run[present..];
            }
        }
    }

    private void WriteColumns(ReadOnlySpan<T> source, long batch, ReadOnlySpan<long> columns, Span<T> panel)
    {
        for (int first = 0; first < _depth.Length; first += DepthPerBlock)
        {
            int end = Math.Min(_depth.Length, first + DepthPerBlock);
            for (int lane = 0; lane < columns.Length; lane++)
            {
                long start = batch + columns[lane];
                int at = (first * _width) + lane;
                if (_depthIsConsecutive)
                {
                    foreach (T element in source.Slice((int)(start + _depth[first]), end - first))
                    {
                        panel[at] = element;
                        at += _width;
                    }
                    continue;
                }
                for (int k = first; k < end; k++, at += _width)
                {
                    panel[at] = source[(int)(start + _depth[k])];
                }
            }
        }
    }

    // Where the elements that a group of panels needs begin and how many there are, relative to the batch.
    private (long Start, long Length) Needed(int group)
    {
        int first = group * PanelsPerGroup * _width;
        (long low, long high) = Range(_columns.AsSpan(first, Math.Min(PanelsPerGroup * _width, _columns.Length - first)));
        (long nearest, long farthest) = Range(_depth);
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
}
