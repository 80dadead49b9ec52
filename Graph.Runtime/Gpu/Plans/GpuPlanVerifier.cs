using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <summary>
/// Checks what running a plan on a GPU relies on, whoever made it: no step names what is not there, or writes
/// where it must not.
/// </summary>
/// <remarks>What depends on symbols (sizes of copies, numbers of tasks) is checked when they have values.</remarks>
internal sealed class GpuPlanVerifier
{
    /// <summary>How deep control flow may be nested.</summary>
    public const int MaxDepth = 64;

    private const int WarpSize = 32;
    private const int MostThreads = 1024;
    private const int MostSharedBytes = 256 << 10;

    private readonly ExecutablePlan _plan;
    private readonly GpuPlan _gpu;

    private GpuPlanVerifier(ExecutablePlan plan, GpuPlan gpu)
    {
        _plan = plan;
        _gpu = gpu;
    }

    /// <summary>Says what is wrong with the GPU's part of a plan; null when it is sound, or there is none.</summary>
    public static string? Check(ExecutablePlan plan)
    {
        if (plan.Gpu is not { } gpu)
        {
            return plan.TargetTriple == GpuPlan.Triple ? "it is for a GPU and says nothing about one" : null;
        }
        if (plan.TargetTriple != GpuPlan.Triple)
        {
            return $"it has steps for a GPU, and is for {plan.TargetTriple}";
        }
        if (gpu.Form is not (GpuCodeForm.Ptx or GpuCodeForm.KernelText))
        {
            return $"there is no form {(int)gpu.Form} of code for GPUs";
        }
        var verifier = new GpuPlanVerifier(plan, gpu);
        return verifier.CheckKernels() ?? verifier.CheckSteps(gpu.Steps, 0);
    }

    private string? CheckKernels()
    {
        foreach (GpuKernel kernel in _gpu.Kernels)
        {
            if (kernel.Name.Length == 0 || kernel.Name.Contains('\0') || kernel.Object < 0)
            {
                return "a kernel has no name or no object";
            }
            if (kernel.Threads is <= 0 or > MostThreads || kernel.Threads % WarpSize != 0)
            {
                return $"kernel '{kernel.Name}' has {kernel.Threads} threads";
            }
            if (kernel.SharedBytes is < 0 or > MostSharedBytes)
            {
                return $"kernel '{kernel.Name}' has {kernel.SharedBytes} bytes of shared memory";
            }
            if (kernel.Parameters.Length > GpuKernel.MostParameters)
            {
                return $"kernel '{kernel.Name}' has {kernel.Parameters.Length} parameters, at most {GpuKernel.MostParameters} are possible";
            }
        }
        return null;
    }

    private string? CheckSteps(ImmutableArray<GpuStep> steps, int depth)
    {
        if (depth > MaxDepth)
        {
            return $"control flow is nested more than {MaxDepth} deep";
        }
        foreach (GpuStep step in steps)
        {
            if (CheckStep(step, depth) is { } problem)
            {
                return problem;
            }
        }
        return null;
    }

    private string? CheckStep(GpuStep step, int depth)
    {
        switch (step)
        {
            case GpuStep.Launch launch:
                return CheckLaunch(launch);
            case GpuStep.SideBySide batch:
                return batch.Members.Select(CheckLaunch).FirstOrDefault(p => p is not null);
            case GpuStep.Copy copy:
                return !IsBuffer(copy.From) || !IsBuffer(copy.To) ? "a copy is between buffers that are not there"
                    : IsReadOnly(copy.To) ? $"a copy writes to buffer {copy.To}, which is only read"
                    : copy.SizeInBytes is { IsStatic: true, Value: < 0 } ? $"a copy has {copy.SizeInBytes} bytes"
                    : CheckFits(copy.From, copy.SizeInBytes) ?? CheckFits(copy.To, copy.SizeInBytes);
            case GpuStep.Loop loop:
                return CheckPlace("predicate", loop.Predicate, sizeof(bool))
                    ?? CheckSteps(loop.Condition, depth + 1) ?? CheckSteps(loop.Body, depth + 1);
            case GpuStep.Branch branch:
                return branch.Branches.IsEmpty
                    ? "a branch has nothing to choose from"
                    : CheckPlace("selector", branch.Selector, branch.IsBool ? sizeof(bool) : sizeof(int))
                        ?? branch.Branches.Select(b => CheckSteps(b.Steps, depth + 1)).FirstOrDefault(p => p is not null);
            case GpuStep.HostCall call:
                return CheckHostCall(call);
            default:
                return "a step is of no kind";
        }
    }

    private string? CheckLaunch(GpuStep.Launch launch)
    {
        if (launch.Kernel < 0 || launch.Kernel >= _gpu.Kernels.Length)
        {
            return $"there is no kernel {launch.Kernel}";
        }
        GpuKernel kernel = _gpu.Kernels[launch.Kernel];
        int maps = kernel.Parameters.Count(p => p == GpuParameter.TensorMap);
        if (maps != launch.Maps.Length || kernel.Parameters.TakeLast(maps).Any(p => p != GpuParameter.TensorMap))
        {
            return $"kernel '{kernel.Name}' takes {maps} tensor maps behind everything else, not {launch.Maps.Length}";
        }
        if (launch.Arguments.Length != kernel.Parameters.Length - maps)
        {
            return $"kernel '{kernel.Name}' takes {kernel.Parameters.Length - maps} arguments, not {launch.Arguments.Length}";
        }
        if (launch.Call < 0 || launch.Call >= _plan.Kernels.Length)
        {
            return $"there is no call {launch.Call}";
        }
        foreach (GpuTensorMap map in launch.Maps)
        {
            if (!IsBuffer(map.Buffer) || map.Problem is not null)
            {
                return $"a tensor map of buffer {map.Buffer} for kernel '{kernel.Name}' cannot be: "
                    + (map.Problem ?? "there is no such buffer");
            }
        }
        for (int i = 0; i < launch.Arguments.Length; i++)
        {
            int buffer = launch.Arguments[i].Buffer;
            bool fits = kernel.Parameters[i] == GpuParameter.Number ? buffer == -1 : buffer == -1 || IsBuffer(buffer);
            if (!fits || (kernel.Parameters[i] == GpuParameter.Write && buffer >= 0 && IsReadOnly(buffer)))
            {
                return $"argument {i} of kernel '{kernel.Name}' cannot be buffer {buffer}";
            }
        }
        return null;
    }

    private string? CheckHostCall(GpuStep.HostCall call)
    {
        if (call.Id < 0 || call.Id >= _plan.HostCalls.Length)
        {
            return $"there is no host call {call.Id}";
        }
        ImmutableArray<TensorType> operands = _plan.HostCalls[call.Id].Operands;
        if (operands.Length != call.Arguments.Length)
        {
            return $"host call {call.Id} takes {operands.Length} values, not {call.Arguments.Length}";
        }
        for (int i = 0; i < operands.Length; i++)
        {
            int buffer = call.Arguments[i].Buffer;
            if (!IsBuffer(buffer) || _plan.Buffers[buffer].SizeInBytes != operands[i].SizeInBytes)
            {
                return $"value {i} of host call {call.Id} is not {operands[i]}";
            }
        }
        return null;
    }

    private string? CheckPlace(string what, int buffer, int bytes) =>
        !IsBuffer(buffer) ? $"a {what} lies in buffer {buffer}, which is not there" : CheckFits(buffer, bytes);

    private string? CheckFits(int buffer, Dim bytes) =>
        _plan.Buffers[buffer].SizeInBytes is { IsStatic: true } size && bytes.IsStatic && bytes.Value > size.Value
            ? $"{bytes} bytes do not lie in buffer {buffer} of {size}"
            : null;

    private bool IsBuffer(int buffer) => buffer >= 0 && buffer < _plan.Buffers.Length;

    private bool IsReadOnly(int buffer) => _plan.Buffers[buffer].Kind is BufferKind.Constant or BufferKind.Parameter
        || (_plan.Buffers[buffer] is { Kind: BufferKind.Alias, Index: var whole } &&
            _plan.Buffers[whole].Kind is BufferKind.Constant or BufferKind.Parameter);
}
