using System.Text.Json;

namespace Graphene.Runtime;

/// <summary>Where a tensor lies in a file.</summary>
/// <param name="Type">Element type and static shape.</param>
/// <param name="Begin">Its first byte, counted from the end of the header.</param>
/// <param name="Length">Its size in bytes.</param>
internal readonly record struct SafetensorsEntry(TensorType Type, long Begin, long Length);

/// <summary>The JSON object at the start of a safetensors file.</summary>
/// <remarks>
/// <para>Source: the description of the safetensors format: one object that maps names to
/// <c>dtype</c>, <c>shape</c> and <c>data_offsets</c>; <c>__metadata__</c> maps strings to strings; the tensors cover the data
/// without holes.</para>
/// <para>Read as hostile: sizes are computed without overflow and checked against the data before anything is allocated for a
/// tensor, and no byte belongs to two tensors. Time and memory are proportional to the header's length.</para>
/// </remarks>
internal sealed class SafetensorsHeader
{
    /// <summary>The metadata entry that holds the file's digest.</summary>
    public const string DigestKey = "graphene.sha256";

    /// <summary>A digest is so many hexadecimal digits.</summary>
    public const int DigestLength = 64;

    private const int MaxRank = 64;

    /// <summary>The tensors.</summary>
    public Dictionary<string, SafetensorsEntry> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>What else the writer said.</summary>
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the digest's first digit stands in the header; -1 when there is no digest.</summary>
    public int DigestAt { get; private set; } = -1;

    /// <summary>Reads a header.</summary>
    /// <param name="json">Its bytes.</param>
    /// <param name="dataLength">How many bytes follow it.</param>
    /// <exception cref="InvalidDataException">What is wrong with it.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength)
    {
        var header = new SafetensorsHeader();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        try
        {
            Take(ref reader, JsonTokenType.StartObject, "the header is not an object");
            while (Next(ref reader) == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                if (name == "__metadata__")
                {
                    header.ReadMetadata(ref reader);
                }
                else if (!header.Entries.TryAdd(name, ReadEntry(ref reader, name)))
                {
                    throw new InvalidDataException($"tensor '{name}' is there twice");
                }
            }
            if (reader.Read())
            {
                throw new InvalidDataException("something follows the header's object");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"the header is not the JSON that it should be: {e.Message}", e);
        }
        header.RequireCover(dataLength);
        return header;
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        DType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        Take(ref reader, JsonTokenType.StartObject, $"tensor '{name}' is not an object");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            switch (reader.GetString())
            {
                case "dtype" when type is null:
                    Take(ref reader, JsonTokenType.String, $"the dtype of '{name}' is not a string");
                    string code = reader.GetString()!;
                    type = SafetensorsType.TryParse(code, out DType known) ? known : throw new InvalidDataException(
                        $"tensor '{name}' has elements of type '{code}'; known are {SafetensorsType.All}");
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, name, MaxRank);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, name, 2);
                    break;
                case var key:
                    throw new InvalidDataException($"tensor '{name}' has an entry '{key}' that is unknown or there twice");
            }
        }
        if (type is null || shape is null || offsets is not { Length: 2 })
        {
            throw new InvalidDataException($"tensor '{name}' lacks dtype, shape or two data_offsets");
        }
        long length = offsets[1] - offsets[0]; // both are not negative
        if (length != SizeInBytes(shape, type.Value))
        {
            throw new InvalidDataException(
                $"tensor '{name}' of shape [{string.Join(",", shape)}] and type {type.Value.Name()} does not take "
                + $"the bytes {offsets[0]} to {offsets[1]} that it is given");
        }
        return new SafetensorsEntry(new TensorType(type.Value, Shape.Of(shape)), offsets[0], length);
    }

    // -1 for what no array can hold; extents beside a zero count, too, because indices are computed from them.
    private static long SizeInBytes(long[] shape, DType type)
    {
        UInt128 size = (UInt128)type.SizeInBytes();
        foreach (long extent in shape)
        {
            size *= (UInt128)Math.Max(extent, 1);
            if (size > long.MaxValue)
            {
                return -1;
            }
        }
        return shape.Contains(0) ? 0 : (long)size;
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string name, int atMost)
    {
        var numbers = new List<long>();
        Take(ref reader, JsonTokenType.StartArray, $"tensor '{name}' has an entry that is not a list");
        while (Next(ref reader) == JsonTokenType.Number)
        {
            if (!reader.TryGetInt64(out long number) || number < 0 || numbers.Count == atMost)
            {
                throw new InvalidDataException(
                    $"tensor '{name}' has a list with more than {atMost} numbers, or one that is not a size");
            }
            numbers.Add(number);
        }
        return reader.TokenType == JsonTokenType.EndArray
            ? [.. numbers]
            : throw new InvalidDataException($"tensor '{name}' has a list of other things than numbers");
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Take(ref reader, JsonTokenType.StartObject, "__metadata__ is not an object");
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            Take(ref reader, JsonTokenType.String, $"the metadata '{key}' is not a string");
            if (key == DigestKey && !reader.ValueIsEscaped && reader.ValueSpan.Length == DigestLength)
            {
                DigestAt = (int)reader.TokenStartIndex + 1; // after the quote
            }
            if (!Metadata.TryAdd(key, reader.GetString()!))
            {
                throw new InvalidDataException($"the metadata '{key}' is there twice");
            }
        }
    }

    private void RequireCover(long dataLength)
    {
        long end = 0;
        foreach ((string name, SafetensorsEntry entry) in
            Entries.OrderBy(e => e.Value.Begin).ThenBy(e => e.Value.Length))
        {
            if (entry.Begin != end)
            {
                throw new InvalidDataException(
                    entry.Begin < end ? $"tensor '{name}' overlaps another" : $"there is a hole before tensor '{name}'");
            }
            end += entry.Length; // no overflow: begin + length is an offset of the header
        }
        if (end != dataLength)
        {
            throw new InvalidDataException($"the tensors have {end} bytes, but {dataLength} follow the header");
        }
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw new InvalidDataException("the header ends too early");

    private static void Take(ref Utf8JsonReader reader, JsonTokenType expected, string problem)
    {
        if (Next(ref reader) != expected)
        {
            throw new InvalidDataException(problem);
        }
    }
}
