using System.Text.Json;
using Graphene.Codegen.Ptx;
using Graphene.Runtime;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the JSON beside PTX: the kernels, and the steps of a run with their grids and arguments.</summary>
/// <remarks>
/// A launch starts <c>blocks</c> blocks, an expression over the dims, of its kernel's threads. Arguments are buffers by
/// number, null for one that is not touched, or numbers of 64 bits as expressions. A kernel with <c>members</c> takes them
/// as one parameter, a table of 64-bit words. What a kernel does is in <c>source</c>. Behind the arguments a kernel is
/// passed its <c>tensor_maps</c>: 128 bytes each, by value, which <c>cuTensorMapEncodeTiled</c> makes of what is listed and
/// of the buffer's address.
/// </remarks>
internal static class LaunchManifest
{
    /// <summary>The manifest as text.</summary>
    public static string Print(PtxModule ptx, GpuKernelLibrary library, IReadOnlyList<GpuStep> steps, ExecutablePlan plan) =>
        JsonText.Of(json =>
        {
            json.WriteString("name", plan.Name);
            json.WriteString("compiler", typeof(GraphCompiler).Assembly.GetName().Version?.ToString(3));
            json.WriteString("gpu", ptx.Target.Gpu.ToString());
            json.WriteString("target", ptx.Target.Name);
            json.WriteString("ptx", FormattableString.Invariant($"{ptx.Target.Version / 10}.{ptx.Target.Version % 10}"));
            json.WriteDims(plan.Symbols);
            json.WriteObjects("kernels", ptx.Kernels, kernel => WriteKernel(json, kernel, library));
            json.WriteList("steps", steps, step => WriteStep(json, step, library));
        });

    private static void WriteKernel(Utf8JsonWriter json, PtxKernel kernel, GpuKernelLibrary library)
    {
        json.WriteString("name", kernel.Name);
        json.WriteNumber("threads", kernel.Threads);
        json.WriteNumber("blocks_per_multiprocessor", kernel.BlocksPerMultiprocessor);
        json.WriteNumber("members", kernel.Members);
        json.WriteNumber("shared_bytes", kernel.SharedBytes);
        json.WriteNumber("dynamic_shared_bytes", kernel.DynamicSharedBytes);
        json.WriteStrings("parameters", library.Kernels[library.NumberOf(kernel.Name)].Parameters.Select(p => p switch
        {
            GpuParameter.Read => "read",
            GpuParameter.Write => "write",
            GpuParameter.TensorMap => "tensor_map",
            _ => "i64",
        }));
    }

    private static void WriteStep(Utf8JsonWriter json, GpuStep step, GpuKernelLibrary library)
    {
        switch (step)
        {
            case GpuStep.Launch launch:
                WriteLaunch(json, launch, library);
                break;
            case GpuStep.SideBySide batch:
                WriteGroup(json, "side_by_side", batch.Members, library);
                break;
            case GpuStep.Loop loop:
                WriteGroup(json, "while", loop.Condition, library);
                WriteGroup(json, "do", loop.Body, library);
                break;
            case GpuStep.Branch branch:
                foreach (GpuBranch way in branch.Branches)
                {
                    WriteGroup(json, "branch", way.Steps, library);
                }
                break;
            case GpuStep.Copy copy:
                json.WriteStartObject();
                json.WriteNumber("copy_from", copy.From);
                json.WriteNumber("to", copy.To);
                json.WriteString("bytes", copy.SizeInBytes.ToString());
                json.WriteEndObject();
                break;
            case GpuStep.HostCall call:
                json.WriteStartObject();
                json.WriteNumber("host_call", call.Id);
                json.WriteEndObject();
                break;
        }
    }

    private static void WriteGroup(Utf8JsonWriter json, string name, IEnumerable<GpuStep> steps, GpuKernelLibrary library)
    {
        json.WriteStartObject();
        json.WriteList(name, steps, step => WriteStep(json, step, library));
        json.WriteEndObject();
    }

    private static void WriteLaunch(Utf8JsonWriter json, GpuStep.Launch launch, GpuKernelLibrary library)
    {
        GpuKernel kernel = library.Kernels[launch.Kernel];
        KernelSpec call = library.Specs[launch.Call];
        json.WriteStartObject();
        json.WriteString("launch", kernel.Name);
        json.WriteString("blocks", launch.Tasks.ToString());
        json.WriteStartArray("arguments");
        for (int i = 0; i < launch.Arguments.Length; i++)
        {
            GpuArgument argument = launch.Arguments[i];
            if (kernel.Parameters[i] == GpuParameter.Number)
            {
                json.WriteStringValue(argument.Number.ToString());
            }
            else if (argument.Buffer < 0)
            {
                json.WriteNullValue();
            }
            else
            {
                json.WriteNumberValue(argument.Buffer);
            }
        }
        json.WriteEndArray();
        if (!launch.Maps.IsEmpty)
        {
            json.WriteObjects("tensor_maps", launch.Maps, map => WriteMap(json, map));
        }
        json.WriteString("source", call.Source);
        json.WriteString("flops", call.Flops.ToString());
        json.WriteString("bytes", call.Bytes.ToString());
        json.WriteEndObject();
    }

    private static void WriteMap(Utf8JsonWriter json, GpuTensorMap map)
    {
        json.WriteNumber("buffer", map.Buffer);
        json.WriteString("element", map.RoundsToTensorFloat32 ? "tf32" : map.Element.Name());
        json.WriteString("offset_bytes", map.OffsetInBytes.ToString());
        json.WriteStrings("sizes", map.Sizes.Select(s => s.ToString()));
        json.WriteStrings("strides_bytes", map.StridesInBytes.Select(s => s.ToString()));
        json.WriteList("box", map.Box, json.WriteNumberValue);
        json.WriteNumber("swizzle_bytes", map.IsSwizzled ? GpuTensorMap.SwizzledBytes : 0);
    }
}
