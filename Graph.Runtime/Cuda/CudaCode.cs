using System.Runtime.InteropServices;
using System.Text;
using ManagedCuda.BasicTypes;

namespace Graphene.Runtime;

/// <summary>PTX that the driver translated for the device; it keeps translations on disk itself.</summary>
internal sealed unsafe class CudaCode : GpuCode
{
    private const int LogBytes = 16 << 10;
    private readonly CudaDevice _device;
    private readonly string _name;
    private readonly CUmodule _module;
    private bool _disposed;

    /// <summary>Translates and loads.</summary>
    /// <exception cref="GraphException">GR6505: the driver does not take the text.</exception>
    public CudaCode(CudaDevice device, string name, ReadOnlySpan<byte> ptx)
    {
        _device = device;
        _name = name;
        byte[] text = new byte[ptx.Length + 1]; // a text ends with a zero
        ptx.CopyTo(text);
        byte[] log = new byte[LogBytes];
        device.MakeCurrent();
        fixed (byte* image = text)
        {
            fixed (byte* errors = log)
            {
                CUJITOption* options = stackalloc CUJITOption[] { CUJITOption.ErrorLogBuffer, CUJITOption.ErrorLogBufferSizeBytes };
                void** values = stackalloc void*[] { errors, (void*)LogBytes };
                fixed (CUmodule* module = &_module)
                {
                    CUResult result = device.Driver.cuModuleLoadDataEx(module, image, 2, options, values);
                    if (result != CUResult.Success)
                    {
                        throw Refused(result, Marshal.PtrToStringUTF8((nint)errors) ?? "");
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public override GpuFunction Function(GpuKernel kernel)
    {
        _device.MakeCurrent();
        CUfunction function;
        byte[] name = [.. Encoding.UTF8.GetBytes(kernel.Name), 0];
        fixed (byte* symbol = name)
        {
            CUResult result = _device.Driver.cuModuleGetFunction(&function, _module, symbol);
            if (result != CUResult.Success)
            {
                throw Refused(result, $"there is no kernel '{kernel.Name}'");
            }
        }
        if (kernel.SharedBytes > 0)
        {
            _device.Check(
                _device.Driver.cuFuncSetAttribute(function, CUFunctionAttribute.MaxDynamicSharedSizeBytes, kernel.SharedBytes),
                "cuFuncSetAttribute", $"kernel '{kernel.Name}', {kernel.SharedBytes} bytes of shared memory");
        }
        int most;
        _device.Check(_device.Driver.cuFuncGetAttribute(&most, CUFunctionAttribute.MaxThreadsPerBlock, function), "cuFuncGetAttribute");
        return kernel.Threads <= most
            ? new CudaFunction(function, kernel)
            : throw Refused(
                CUResult.ErrorLaunchOutOfResources,
                $"kernel '{kernel.Name}' has {kernel.Threads} threads, registers are there for {most}");
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _device.MakeCurrent();
            _ = _device.Driver.cuModuleUnload(_module);
        }
    }

    private GraphException Refused(CUResult result, string log)
    {
        (string why, string fix) = CudaErrors.Explain(result);
        return new GraphException(
            GpuDiagnostics.BadCode, $"{_device.Name} does not take the code '{_name}': {CudaErrors.Name(_device.Driver, result)}",
            where: log.Trim() is { Length: > 0 } said ? said : null, why: why, fix: fix);
    }
}

/// <summary>A kernel of the driver.</summary>
/// <param name="handle">The driver's handle.</param>
/// <param name="kernel">What the plan says about it.</param>
internal sealed class CudaFunction(CUfunction handle, GpuKernel kernel) : GpuFunction
{
    /// <summary>The driver's handle.</summary>
    public CUfunction Handle { get; } = handle;

    /// <summary>Its name.</summary>
    public string Name => kernel.Name;

    /// <summary>The threads of a block.</summary>
    public int Threads => kernel.Threads;

    /// <summary>Shared memory that a start states.</summary>
    public int SharedBytes => kernel.SharedBytes;
}
