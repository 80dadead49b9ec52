using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Graphene.Runtime;

/// <summary>Writes tensors in the safetensors format, with a digest of all bytes.</summary>
/// <remarks>
/// Tensors stand in the order of falling element size, so that without any hole each begins at a multiple of its element
/// size; the data begins at a multiple of 64. Equal tensors give equal files.
/// </remarks>
internal sealed class SafetensorsWriter
{
    private const int Alignment = 64;
    private static readonly string _noDigest = new('0', SafetensorsHeader.DigestLength);
    private readonly NamedTensor[] _tensors;
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <summary>Takes what will be written.</summary>
    /// <exception cref="ArgumentException">A name is there twice.</exception>
    public SafetensorsWriter(IEnumerable<NamedTensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        _tensors = [.. tensors.OrderByDescending(t => t.Value.DType.SizeInBytes()).ThenBy(t => t.Name, StringComparer.Ordinal)];
        var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
        foreach (NamedTensor tensor in _tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException($"'{tensor.Name}' cannot be the name of a tensor here: it is taken", nameof(tensors));
            }
        }
        foreach ((string key, string value) in metadata ?? new Dictionary<string, string>())
        {
            _metadata[key] = value;
        }
        _metadata[SafetensorsHeader.DigestKey] = _noDigest;
    }

    /// <summary>Writes the file to a stream that can seek, from its present position.</summary>
    /// <returns>The digest.</returns>
    public string Write(Stream stream)
    {
        (byte[] prefix, int digestAt) = Prefix();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long start = stream.Position;
        Append(prefix);
        foreach (NamedTensor tensor in _tensors)
        {
            Append(tensor.Value.Bytes.Span);
        }
        string digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        stream.Position = start + digestAt;
        stream.Write(Encoding.ASCII.GetBytes(digest));
        return digest;

        void Append(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            stream.Write(bytes);
        }
    }

    // Everything before the data, and where the digest's digits stand in it.
    private (byte[] Prefix, int DigestAt) Prefix()
    {
        var json = new ArrayBufferWriter<byte>();
        json.Write<byte>(new byte[sizeof(ulong)]);
        int digestAt = 0;
        // Names are for programs, not for web pages: nothing more than what JSON needs is escaped.
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(json, options))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            foreach ((string key, string value) in _metadata)
            {
                writer.WriteString(key, value);
                if (key == SafetensorsHeader.DigestKey)
                {
                    writer.Flush();
                    digestAt = json.WrittenCount - 1 - SafetensorsHeader.DigestLength;
                }
            }
            writer.WriteEndObject();
            long offset = 0;
            foreach ((string name, Literal value) in _tensors)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", SafetensorsType.Describe(value.DType));
                writer.WriteStartArray("shape");
                Array.ForEach(value.Shape.ToStatic(), writer.WriteNumberValue);
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(offset);
                writer.WriteNumberValue(offset += value.Bytes.Length);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        int padding = (Alignment - (json.WrittenCount % Alignment)) % Alignment;
        json.GetSpan(padding)[..padding].Fill((byte)' ');
        json.Advance(padding);
        byte[] prefix = json.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)(prefix.Length - sizeof(ulong)));
        return (prefix, digestAt);
    }
}
