using System.Collections.Immutable;

namespace Graphene.Runtime;

/// <content>The part for GPUs.</content>
internal sealed partial class PlanReader
{
    private const int MinStepBytes = 8;
    private const int MinMapBytes = 32;
    private const int MinDimBytes = 4;
    private int _depth;
    private GpuKernel[]? _kernels; // no immutable array: a reader of plans for processors would load its types

    private GpuPlan Gpu() => new()
    {
        Form = (GpuCodeForm)Number((int)GpuCodeForm.KernelText, "form of code"),
        Kernels = Immutable(_kernels = List(20, GpuKernel)),
        Steps = Steps(),
    };

    private GpuKernel GpuKernel()
    {
        string name = Text();
        int code = Int32();
        int threads = Int32();
        int sharedBytes = Int32();
        var parameters = ImmutableArray.CreateBuilder<GpuParameter>(Count(1));
        for (int i = parameters.Capacity; i > 0; i--)
        {
            byte kind = Byte();
            parameters.Add(kind <= (byte)GpuParameter.TensorMap ? (GpuParameter)kind : throw Bad($"there is no parameter of kind {kind}"));
        }
        return new GpuKernel(name, code, threads, sharedBytes, parameters.MoveToImmutable());
    }

    private ImmutableArray<GpuStep> Steps()
    {
        if (++_depth > GpuPlanVerifier.MaxDepth)
        {
            throw Bad($"control flow is nested more than {GpuPlanVerifier.MaxDepth} deep");
        }
        ImmutableArray<GpuStep> steps = Immutable(List(MinStepBytes, Step));
        _depth--;
        return steps;
    }

    private GpuStep Step()
    {
        switch ((GpuStepCode)Number((int)GpuStepCode.HostCall, "kind of step"))
        {
            case GpuStepCode.Launch:
                return Launch();
            case GpuStepCode.SideBySide:
                return new GpuStep.SideBySide(Immutable(List(20, Launch)));
            case GpuStepCode.Copy:
                return new GpuStep.Copy(Int32(), Int32(), Dim());
            case GpuStepCode.Loop:
                ImmutableArray<GpuStep> condition = Steps();
                return new GpuStep.Loop(condition, Int32(), Steps());
            case GpuStepCode.Branch:
                return new GpuStep.Branch(Int32(), Flag(), Immutable(List(4, () => new GpuBranch(Steps()))));
            default:
                return new GpuStep.HostCall(Int32(), Immutable(List(MinStepBytes, Argument)));
        }
    }

    // Maps are there where the kernel takes some: files that were written before there were maps have none.
    private GpuStep.Launch Launch()
    {
        var launch = new GpuStep.Launch(Int32(), Dim(), Immutable(List(MinStepBytes, Argument)), Int32());
        bool hasMaps = launch.Kernel >= 0 && launch.Kernel < _kernels!.Length
            && _kernels[launch.Kernel].Parameters.Contains(GpuParameter.TensorMap);
        return hasMaps ? launch with { Maps = Immutable(List(MinMapBytes, TensorMap)) } : launch;
    }

    private GpuTensorMap TensorMap() => new(Int32(), (DType)Number((int)DType.C128, "element type"))
    {
        OffsetInBytes = Dim(),
        Sizes = Values(MinDimBytes, Dim),
        StridesInBytes = Values(MinDimBytes, Dim),
        Box = Values(sizeof(int), Int32),
        IsSwizzled = Flag(),
        RoundsToTensorFloat32 = Flag(),
    };

    private ImmutableArray<T> Values<T>(int minBytes, Func<T> read)
        where T : struct
    {
        var values = ImmutableArray.CreateBuilder<T>(Count(minBytes));
        for (int i = values.Capacity; i > 0; i--)
        {
            values.Add(read());
        }
        return values.MoveToImmutable();
    }

    private GpuArgument Argument() => new(Int32(), Dim());
}
