using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Graphene;

/// <summary>
/// Literals in IR text: a scalar or splat as one value, a short list of elements in brackets (row-major, not nested), anything
/// longer as the hexadecimal bytes behind a #.
/// </summary>
internal static class LiteralText
{
    private const int LongestList = 64;

    // A splat is short in text and long in memory; nothing that a person writes into IR text needs more.
    private const long LargestSplatInBytes = 1 << 28;

    // Stands for the content where only equality matters.
    public static string Digest(Literal value) => value.ElementCount <= LongestList
        ? Format(value)
        : "sha256:" + Convert.ToHexString(HashOf(value));

    private static byte[] HashOf(Literal value)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long offset = 0; offset < value.SizeInBytes; offset = Literal.NextPart(offset))
        {
            using LiteralPart part = value.PartAt(offset);
            hash.AppendData(part.Bytes);
        }
        return hash.GetHashAndReset();
    }

    public static string Format(Literal value)
    {
        bool isSplat = value.ElementCount > 0 && value.IsSplat();
        if ((value.ElementCount > LongestList && !isSplat) || HasUnwritableBits(value))
        {
            return "#" + Convert.ToHexString(value.Bytes.Span);
        }
        if (isSplat)
        {
            return value[0].ToString();
        }
        var text = new StringBuilder("[");
        for (int i = 0; i < value.ElementCount; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}{value[i]}");
        }
        return text.Append(']').ToString();
    }

    /// <summary>Like <see cref="Format"/>, but long contents are left out: for people, not for the parser.</summary>
    public static string Elide(Literal value) =>
        value.ElementCount > LongestList && !value.IsSplat() ? $"<{value.ElementCount} elements>" : Format(value);

    public static Literal Read(TextCursor cursor, TensorType type)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        long count = CountElements(cursor, type);
        if (cursor.Current == '#')
        {
            return ReadBytes(cursor, type, count);
        }
        if (cursor.Current == '[')
        {
            List<Scalar> elements = TypeText.ReadList(cursor, () => ReadScalar(cursor, type.DType));
            if (elements.Count != count)
            {
                throw cursor.ErrorAt(start, $"{elements.Count} elements are listed, {type} has {count}");
            }
            var writer = new LiteralWriter(type);
            elements.ForEach(writer.Append);
            return writer.ToLiteral();
        }
        if (cursor.Current == '<')
        {
            throw cursor.Error("this text was printed with long constants left out", fix: "print it without eliding");
        }
        if (count > LargestSplatInBytes / type.DType.SizeInBytes())
        {
            throw cursor.ErrorAt(
                start, $"a splat of {type} is larger than {LargestSplatInBytes >> 20} MiB",
                fix: "write a scalar constant and a broadcast_in_dim");
        }
        return Literal.Splat(type, ReadScalar(cursor, type.DType));
    }

    public static Scalar ReadScalar(TextCursor cursor, DType type)
    {
        cursor.SkipBlanks();
        int start = cursor.Position;
        while (!cursor.AtEnd && (char.IsAsciiLetterOrDigit(cursor.Current) || cursor.Current is '.' or '-' or '+'))
        {
            cursor.Position++;
        }
        ReadOnlySpan<char> word = cursor.Text.AsSpan(start, cursor.Position - start);
        return ParseScalar(word, type) ?? throw cursor.ErrorAt(start, $"'{word}' is not a value of {type.Name()}");
    }

    // A signalling NaN turns quiet on its way through a Scalar.
    private static bool HasUnwritableBits(Literal value)
    {
        int size = value.DType.SizeInBytes();
        for (int i = 0; i < (value.IsSplat() ? Math.Min(1, value.ElementCount) : value.ElementCount); i++)
        {
            ulong bits = value[i].Bits;
            for (int k = 0; k < size; k++)
            {
                if (value.Bytes.Span[(i * size) + k] != (byte)(bits >> (8 * k)))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private static Scalar? ParseScalar(ReadOnlySpan<char> word, DType type)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (type == DType.Bool)
        {
            return word is "true" ? Scalar.FromBool(true) : word is "false" ? Scalar.FromBool(false) : null;
        }
        if (type.IsInteger())
        {
            return Int128.TryParse(word, NumberStyles.AllowLeadingSign, culture, out Int128 integer) &&
                Scalar.FromInteger(type, integer) is var wrapped && wrapped.AsInteger == integer
                ? wrapped
                : null;
        }
        if (word.StartsWith("0x", StringComparison.Ordinal))
        {
            return ulong.TryParse(word[2..], NumberStyles.AllowHexSpecifier, culture, out ulong bits) &&
                (bits >> (type.SizeInBits() - 1)) <= 1
                ? Scalar.FromBits(type, bits)
                : null;
        }
        return word switch
        {
            "nan" => Scalar.FromDouble(type, double.NaN),
            "inf" => Scalar.FromDouble(type, double.PositiveInfinity),
            "-inf" => Scalar.FromDouble(type, double.NegativeInfinity),
            _ => word.Length > 0 && (char.IsAsciiDigit(word[^1]) || word[^1] == '.') &&
                double.TryParse(word, NumberStyles.Float, culture, out double value)
                ? Scalar.FromDouble(type, value)
                : null,
        };
    }

    private static Literal ReadBytes(TextCursor cursor, TensorType type, long count)
    {
        int start = ++cursor.Position;
        while (!cursor.AtEnd && char.IsAsciiHexDigit(cursor.Current))
        {
            cursor.Position++;
        }
        ReadOnlySpan<char> digits = cursor.Text.AsSpan(start, cursor.Position - start);
        if (digits.Length % 2 != 0 || digits.Length / 2 / type.DType.SizeInBytes() != count ||
            digits.Length / 2 % type.DType.SizeInBytes() != 0)
        {
            throw cursor.ErrorAt(start, $"{digits.Length} hexadecimal digits are not the bytes of {type}");
        }
        byte[] bytes = Convert.FromHexString(digits);
        return type.DType != DType.Bool || Array.TrueForAll(bytes, b => b <= 1)
            ? new Literal(type, bytes)
            : throw cursor.ErrorAt(start, "a bool is the byte 00 or 01");
    }

    private static long CountElements(TextCursor cursor, TensorType type)
    {
        try
        {
            return type.Shape.IsStatic
                ? type.Shape.ElementCount.Value
                : throw cursor.Error($"a constant of type {type} needs static dimensions");
        }
        catch (OverflowException)
        {
            throw cursor.Error($"{type} has more than 2^63 elements");
        }
    }
}
