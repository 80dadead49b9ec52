namespace Graphene;

/// <content>What is found out by looking at all elements, a piece of them at a time.</content>
public sealed partial class Literal
{
    /// <summary>True when no element is infinite or NaN; computed once.</summary>
    public bool IsFinite() => _isFinite ??= FindsFinite();

    private bool FindsFinite()
    {
        if (DType == DType.F32)
        {
            const uint Exponent = 0x7F80_0000;
            bool finite = true;
            for (long offset = 0; finite && offset < SizeInBytes; offset += PartBytes)
            {
                using LiteralPart part = PartAt(offset);
                foreach (uint bits in part.As<uint>())
                {
                    finite &= (bits & Exponent) != Exponent;
                }
            }
            return finite;
        }
        return !DType.IsFloating() || Array.TrueForAll(ToDoubles(), double.IsFinite);
    }

    /// <summary>True when all elements have the same bits as the first; true without elements.</summary>
    public bool IsSplat()
    {
        return _isSplat ??= FindsSplat();
    }

    // Most literals differ within the first few elements, so the first look is short.
    private bool FindsSplat()
    {
        int size = DType.SizeInBytes();
        Span<byte> first = stackalloc byte[size];
        for (long offset = 0, length = FirstLookBytes; offset < SizeInBytes; offset += length, length = PartBytes)
        {
            using LiteralPart part = Part(offset, (int)Math.Min(length, SizeInBytes - offset));
            if (offset == 0)
            {
                part.Bytes[..size].CopyTo(first);
            }
            if (!part.Bytes[..size].SequenceEqual(first) || !part.Bytes[size..].SequenceEqual(part.Bytes[..^size]))
            {
                return false;
            }
        }
        return true;
    }

    // The part of usual size, or what is left.
    internal LiteralPart PartAt(long offset) => Part(offset, (int)Math.Min(PartBytes, SizeInBytes - offset));

    internal static long NextPart(long offset) => offset + PartBytes;

    private ulong HashOfContent()
    {
        var hashing = new ContentHashing((ulong)Type.GetHashCode());
        for (long offset = 0; offset < SizeInBytes; offset += PartBytes)
        {
            using LiteralPart part = PartAt(offset);
            hashing.Add(part.Bytes);
        }
        return hashing.Finish();
    }

    private bool HasBytesOf(Literal other)
    {
        for (long offset = 0; offset < SizeInBytes; offset += PartBytes)
        {
            using LiteralPart mine = PartAt(offset);
            using LiteralPart theirs = other.PartAt(offset);
            if (!mine.Bytes.SequenceEqual(theirs.Bytes))
            {
                return false;
            }
        }
        return true;
    }
}
