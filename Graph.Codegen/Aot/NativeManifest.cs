using System.Security.Cryptography;
using System.Text.Json;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the JSON that describes a native library to tools: the interface, what it needs, and the hashes of its files.</summary>
internal static class NativeManifest
{
    /// <summary>The manifest as text.</summary>
    /// <param name="library">The library.</param>
    /// <param name="files">The files that belong to it, by name.</param>
    public static string Print(CompiledLibrary library, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files) =>
        JsonText.Of(json =>
        {
            json.WriteString("name", library.Options.Name);
            json.WriteNumber("abi_version", ShimPrinter.AbiVersion);
            json.WriteString("compiler", typeof(GraphCompiler).Assembly.GetName().Version?.ToString(3));
            json.WriteString("target", library.Target.Name);
            json.WriteString("triple", library.Target.Variants[0].Machine.Triple);
            json.WriteObjects("variants", library.Target.Variants, variant => WriteVariant(json, variant));
            json.WriteNumber("stack_bytes", library.StackBytes);
            json.WriteNumber("constants_bytes", library.WeightsPlace.Length);
            json.WriteString("constants", library.WeightsPlace.IsExternal ? "file" : "embedded");
            json.WriteStrings("undefined_symbols", library.UndefinedSymbols);
            json.WriteObjects("signatures", library.Functions, f => WriteSignature(json, f, library.SourceHashes[f.Name]));
            json.WriteStartObject("files");
            foreach ((string name, ReadOnlyMemory<byte> content) in files.OrderBy(f => f.Key, StringComparer.Ordinal))
            {
                json.WriteStartObject(name);
                json.WriteNumber("bytes", content.Length);
                json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(content.Span)));
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });

    private static void WriteVariant(Utf8JsonWriter json, AotVariant variant)
    {
        string[] features = variant.Machine.RequiredFeatures.Split(',', StringSplitOptions.RemoveEmptyEntries);
        json.WriteString("name", variant.Name);
        json.WriteString("cpu", variant.Machine.Cpu);
        json.WriteStrings("required_features", features.Select(f => f[1..]));
    }

    private static void WriteSignature(Utf8JsonWriter json, NativeFunction f, string sourceHash)
    {
        json.WriteString("name", f.Name);
        json.WriteString("function", f.Symbol);
        json.WriteString("source_hash", sourceHash);
        json.WriteDims(f.Plan.Symbols);
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
    }

    private static void WriteTensors(Utf8JsonWriter json, string list, IEnumerable<(string Name, TensorType Type)> tensors) =>
        json.WriteObjects(list, tensors, tensor =>
        {
            (string name, TensorType type) = tensor;
            json.WriteString("name", name);
            json.WriteString("dtype", type.DType.Name());
            json.WriteList("shape", type.Shape, extent =>
            {
                if (extent.IsStatic)
                {
                    json.WriteNumberValue(extent.Value);
                }
                else
                {
                    json.WriteStringValue(extent.ToString());
                }
            });
            if (type.SizeInBytes.IsStatic)
            {
                json.WriteNumber("bytes", type.SizeInBytes.Value);
            }
        });
}
