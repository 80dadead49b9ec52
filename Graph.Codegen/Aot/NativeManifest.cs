using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the JSON that describes a native library to tools: the interface, what it needs, and the hashes of its files.</summary>
internal static class NativeManifest
{
    /// <summary>The manifest as text.</summary>
    /// <param name="library">The library.</param>
    /// <param name="files">The files that belong to it, by name.</param>
    public static string Print(CompiledLibrary library, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("name", library.Options.Name);
            json.WriteNumber("abi_version", ShimPrinter.AbiVersion);
            json.WriteString("compiler", typeof(GraphCompiler).Assembly.GetName().Version?.ToString(3));
            json.WriteString("target", library.Target.Name);
            json.WriteString("triple", library.Target.Variants[0].Machine.Triple);
            WriteVariants(json, library);
            json.WriteNumber("stack_bytes", library.StackBytes);
            json.WriteNumber("constants_bytes", library.WeightsPlace.Length);
            json.WriteString("constants", library.WeightsPlace.IsExternal ? "file" : "embedded");
            WriteList(json, "undefined_symbols", library.UndefinedSymbols);
            json.WriteStartArray("signatures");
            foreach (NativeFunction f in library.Functions)
            {
                WriteSignature(json, f, library.SourceHashes[f.Name]);
            }
            json.WriteEndArray();
            json.WriteStartObject("files");
            foreach ((string name, ReadOnlyMemory<byte> content) in files.OrderBy(f => f.Key, StringComparer.Ordinal))
            {
                json.WriteStartObject(name);
                json.WriteNumber("bytes", content.Length);
                json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(content.Span)));
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void WriteVariants(Utf8JsonWriter json, CompiledLibrary library)
    {
        json.WriteStartArray("variants");
        foreach (AotVariant variant in library.Target.Variants)
        {
            json.WriteStartObject();
            json.WriteString("name", variant.Name);
            json.WriteString("cpu", variant.Machine.Cpu);
            WriteList(json, "required_features", variant.Machine.RequiredFeatures
                .Split(',', StringSplitOptions.RemoveEmptyEntries).Select(f => f[1..]));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteSignature(Utf8JsonWriter json, NativeFunction f, string sourceHash)
    {
        json.WriteStartObject();
        json.WriteString("name", f.Name);
        json.WriteString("function", f.Symbol);
        json.WriteString("source_hash", sourceHash);
        json.WriteStartArray("dims");
        foreach (DimSymbol symbol in f.Plan.Symbols)
        {
            json.WriteStartObject();
            json.WriteString("name", symbol.Name);
            json.WriteNumber("min", symbol.Min);
            json.WriteNumber("max", symbol.Max);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteTensors(json, "inputs", f.Plan.Inputs.Select(i => (i.Name, i.Type)));
        WriteTensors(json, "outputs", f.Plan.Outputs.Select(o => (o.Name, o.Type)));
        if (f.HasDims)
        {
            json.WriteNull("workspace_bytes");
        }
        else
        {
            json.WriteNumber("workspace_bytes", f.StaticWorkspaceBytes);
        }
        json.WriteNumber("workspace_alignment", ArenaPacking.AlignmentInBytes);
        json.WriteNumber("kernels", f.Plans.Sum(p => p.Plan.Kernels.Select(k => k.Name).Distinct(StringComparer.Ordinal).Count()));
        json.WriteEndObject();
    }

    private static void WriteTensors(Utf8JsonWriter json, string list, IEnumerable<(string Name, TensorType Type)> tensors)
    {
        json.WriteStartArray(list);
        foreach ((string name, TensorType type) in tensors)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("dtype", type.DType.Name());
            json.WriteStartArray("shape");
            foreach (Dim extent in type.Shape)
            {
                if (extent.IsStatic)
                {
                    json.WriteNumberValue(extent.Value);
                }
                else
                {
                    json.WriteStringValue(extent.ToString());
                }
            }
            json.WriteEndArray();
            if (type.SizeInBytes.IsStatic)
            {
                json.WriteNumber("bytes", type.SizeInBytes.Value);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> items)
    {
        json.WriteStartArray(name);
        foreach (string item in items)
        {
            json.WriteStringValue(item);
        }
        json.WriteEndArray();
    }
}
