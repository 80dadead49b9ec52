using System.Globalization;

namespace Graphene.Runtime;

/// <summary>Says what a device's memory was wanted for, when there was not enough of it.</summary>
internal static class GpuMemoryReport
{
    private const int BuffersNamed = 5;

    /// <summary>The error of a run.</summary>
    public static GraphException OfRun(GpuProgram program, GpuBinding binding, MemoryPlaces? places, GpuMemoryException cause)
    {
        ExecutablePlan plan = program.Plan;
        IEnumerable<(string, long)> buffers = plan.Buffers.Select((b, i) => (Describe(plan, i, places), binding.BufferBytes[i]))
            .Where(b => b.Item1.Length > 0);
        return Error(
            $"a run of '{plan.Name}' needs {Mebibytes(GpuFrame.DeviceBytes(program, binding, places))} on {program.GpuDevice.Name}", cause,
            $"the arena takes {Mebibytes(binding.ArenaBytes)}; the largest buffers are {Largest(buffers)}",
            "feed smaller batches, free what other programs hold, or compile with a budget for the arena "
                + "(OptimizerOptions.ArenaBudgetInBytes)");
    }

    /// <summary>The error of loading.</summary>
    public static GraphException OfConstants(ExecutablePlan plan, GpuDevice device, GpuMemoryException cause)
    {
        IEnumerable<(string, long)> constants = plan.Buffers.Select((b, i) => (b, i)).Where(x => x.b.Kind == BufferKind.Constant)
            .Select(x => ($"constant {x.i}", x.b.SizeInBytes.Value));
        return Error(
            $"the constants of '{plan.Name}' need {Mebibytes(constants.Sum(c => c.Item2))} on {device.Name}", cause,
            $"the largest are {Largest(constants)}",
            "free what other programs hold, or store the weights in a narrower type");
    }

    /// <summary>Takes memory for something that is no run.</summary>
    /// <exception cref="GraphException">GR6503: there is not enough.</exception>
    public static GpuMemory Allocate(GpuDevice device, long bytes, string what)
    {
        try
        {
            return device.Allocate(bytes);
        }
        catch (GpuMemoryException e)
        {
            throw Error(
                $"{what} needs {Mebibytes(bytes)} on {device.Name}", e, "other tensors, variables and programs hold the rest",
                "free what is not needed any more");
        }
    }

    private static GraphException Error(string what, GpuMemoryException cause, string why, string fix) => new(
        GpuDiagnostics.OutOfMemory,
        $"{what}, which has {Mebibytes(cause.FreeBytes)} left", why: why, fix: fix, inner: cause);

    private static string Largest(IEnumerable<(string What, long Bytes)> buffers) => string.Join(
        "; ", buffers.OrderByDescending(b => b.Bytes).Take(BuffersNamed).Select(b => $"{Mebibytes(b.Bytes)} {b.What}"));

    // Empty for what takes no memory of the run.
    private static string Describe(ExecutablePlan plan, int buffer, MemoryPlaces? places)
    {
        BufferSpec spec = plan.Buffers[buffer];
        return spec.Kind switch
        {
            BufferKind.Parameter when places?.Input(spec.Index) != MemoryPlace.Device => $"input '{plan.Inputs[spec.Index].Name}'",
            BufferKind.Result when places?.Output(spec.Index) != MemoryPlace.Device => $"output '{plan.Outputs[spec.Index].Name}'",
            BufferKind.Temp => Writer(plan, plan.Gpu!.Steps, buffer) is { } call
                ? $"written by {plan.Kernels[call].Source}"
                : "a value of a loop or branch",
            _ => "",
        };
    }

    // The first call that may write a buffer.
    private static int? Writer(ExecutablePlan plan, IEnumerable<GpuStep> steps, int buffer)
    {
        foreach (GpuStep step in steps)
        {
            int? call = step switch
            {
                GpuStep.Launch launch => Writes(plan, launch, buffer) ? launch.Call : null,
                GpuStep.SideBySide batch => batch.Members.FirstOrDefault(m => Writes(plan, m, buffer))?.Call,
                GpuStep.Loop loop => Writer(plan, loop.Condition.Concat(loop.Body), buffer),
                GpuStep.Branch branch => Writer(plan, branch.Branches.SelectMany(b => b.Steps), buffer),
                _ => null,
            };
            if (call is not null)
            {
                return call;
            }
        }
        return null;
    }

    private static bool Writes(ExecutablePlan plan, GpuStep.Launch launch, int buffer)
    {
        GpuKernel kernel = plan.Gpu!.Kernels[launch.Kernel];
        for (int i = 0; i < kernel.Parameters.Length; i++)
        {
            if (kernel.Parameters[i] == GpuParameter.Write && launch.Arguments[i].Buffer == buffer)
            {
                return true;
            }
        }
        return false;
    }

    private static string Mebibytes(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024.0):F1} MiB");
}
