namespace Graphene.Runtime;

/// <summary>The constants of a file, put together from those of the executables in it.</summary>
/// <remarks>What no part covers is zero. Parts are added in the order of their places.</remarks>
internal sealed unsafe class ConstantImage
{
    private readonly List<Part> _parts = [];

    /// <summary>The bytes so far.</summary>
    public long Length { get; private set; }

    /// <summary>The constants of one executable, as they are.</summary>
    public static ConstantImage Of(ConstantData data)
    {
        var image = new ConstantImage();
        if (data.Length > 0)
        {
            image.Add(data, 0, data.Length);
        }
        return image;
    }

    /// <summary>The only part, if it is all there is.</summary>
    public ConstantData? Whole => _parts is [{ Begin: 0, Offset: 0 } only] && only.Length == only.Data.Length ? only.Data : null;

    /// <summary>Adds bytes at the next multiple of 64.</summary>
    /// <returns>Where they are.</returns>
    public long Add(ConstantData data, long offset, long length)
    {
        long begin = FileLayout.Align(Length, NativeBlock.Alignment);
        _parts.Add(new Part(begin, data, offset, length));
        Length = checked(begin + length);
        return begin;
    }

    /// <summary>Copies some of the bytes.</summary>
    public void CopyTo(long offset, Span<byte> target)
    {
        target.Clear();
        for (int i = FirstAfter(offset); i < _parts.Count && _parts[i].Begin < offset + target.Length; i++)
        {
            Part part = _parts[i];
            long begin = Math.Max(part.Begin, offset);
            long end = Math.Min(part.Begin + part.Length, offset + target.Length);
            if (begin < end)
            {
                part.Data.Bytes(part.Offset + begin - part.Begin, (int)(end - begin)).CopyTo(target[(int)(begin - offset)..]);
            }
        }
    }

    /// <summary>Writes all bytes.</summary>
    public void Write(Stream stream)
    {
        const int Piece = 1 << 20;
        byte[] buffer = new byte[Math.Min(Piece, Length)];
        for (long offset = 0; offset < Length; offset += Piece)
        {
            Span<byte> bytes = buffer.AsSpan(0, (int)Math.Min(Piece, Length - offset));
            CopyTo(offset, bytes);
            stream.Write(bytes);
        }
    }

    /// <summary>The hash of all bytes.</summary>
    public byte[] Hash(FileHashKind kind) => Whole is { } data
        ? SectionHash.Compute(kind, data.Pointer, data.Length)
        : SectionHash.Compute(kind, this);

    // The first part that ends behind an offset.
    private int FirstAfter(long offset)
    {
        int low = 0;
        int high = _parts.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_parts[middle].Begin + _parts[middle].Length <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }

    private sealed record Part(long Begin, ConstantData Data, long Offset, long Length);
}
