namespace Graphene.Runtime;

/// <content>The part for GPUs, behind everything else.</content>
internal sealed partial class PlanWriter
{
    private void Gpu(GpuPlan? gpu)
    {
        Int32(gpu is null ? 0 : 1);
        if (gpu is not null)
        {
            Int32((int)gpu.Form);
            List(gpu.Kernels, GpuKernel);
            List(gpu.Steps, Step);
        }
    }

    private void GpuKernel(GpuKernel kernel)
    {
        Text(kernel.Name);
        Int32(kernel.Object);
        Int32(kernel.Threads);
        Int32(kernel.SharedBytes);
        Int32(kernel.Parameters.Length);
        foreach (GpuParameter parameter in kernel.Parameters)
        {
            Byte((byte)parameter);
        }
    }

    private void Step(GpuStep step)
    {
        switch (step)
        {
            case GpuStep.Launch launch:
                Int32((int)GpuStepCode.Launch);
                Launch(launch);
                break;
            case GpuStep.SideBySide batch:
                Int32((int)GpuStepCode.SideBySide);
                List(batch.Members, Launch);
                break;
            case GpuStep.Copy copy:
                Int32((int)GpuStepCode.Copy);
                Int32(copy.From);
                Int32(copy.To);
                Dim(copy.SizeInBytes);
                break;
            case GpuStep.Loop loop:
                Int32((int)GpuStepCode.Loop);
                List(loop.Condition, Step);
                Int32(loop.Predicate);
                List(loop.Body, Step);
                break;
            case GpuStep.Branch branch:
                Int32((int)GpuStepCode.Branch);
                Int32(branch.Selector);
                Int32(branch.IsBool ? 1 : 0);
                List(branch.Branches, b => List(b.Steps, Step));
                break;
            case GpuStep.HostCall call:
                Int32((int)GpuStepCode.HostCall);
                Int32(call.Id);
                List(call.Arguments, Argument);
                break;
            default:
                throw new CompilerBugException("executable file", $"unknown step {step}");
        }
    }

    private void Launch(GpuStep.Launch launch)
    {
        Int32(launch.Kernel);
        Dim(launch.Tasks);
        List(launch.Arguments, Argument);
        Int32(launch.Call);
        if (!launch.Maps.IsEmpty)
        {
            List(launch.Maps, TensorMap);
        }
    }

    private void TensorMap(GpuTensorMap map)
    {
        Int32(map.Buffer);
        Int32((int)map.Element);
        Dim(map.OffsetInBytes);
        List(map.Sizes, Dim);
        List(map.StridesInBytes, Dim);
        List(map.Box, Int32);
        Int32(map.IsSwizzled ? 1 : 0);
        Int32(map.RoundsToTensorFloat32 ? 1 : 0);
    }

    private void Argument(GpuArgument argument)
    {
        Int32(argument.Buffer);
        Dim(argument.Number);
    }
}

/// <summary>The kinds of steps; the values are part of the file format.</summary>
internal enum GpuStepCode
{
    /// <summary><see cref="GpuStep.Launch"/>.</summary>
    Launch,

    /// <summary><see cref="GpuStep.SideBySide"/>.</summary>
    SideBySide,

    /// <summary><see cref="GpuStep.Copy"/>.</summary>
    Copy,

    /// <summary><see cref="GpuStep.Loop"/>.</summary>
    Loop,

    /// <summary><see cref="GpuStep.Branch"/>.</summary>
    Branch,

    /// <summary><see cref="GpuStep.HostCall"/>.</summary>
    HostCall,
}
