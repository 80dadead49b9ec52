using System.Diagnostics;
using System.Runtime.InteropServices;
using Graphene.Runtime;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Runtime.Gpu;

/// <summary>A CUDA driver in C (fakecuda.c), compiled once, and loaded anew for each test so that none sees what another did.</summary>
internal sealed unsafe class FakeCuda : IDisposable
{
    private static readonly Lazy<string?> Compiled = new(() => Compile());
    private static readonly Lazy<string?> CompiledOld = new(() => Compile("-DWITHOUT_TENSOR_MAPS"));
    private readonly string _path;
    private readonly nint _library;

    private FakeCuda(string compiled)
    {
        _path = Path.Combine(Path.GetTempPath(), $"graphene-fakecuda-{Guid.NewGuid():N}.so");
        File.Copy(compiled, _path);
        _library = NativeLibrary.Load(_path);
    }

    /// <summary>The file, for whoever looks for a driver.</summary>
    public string FilePath => _path;

    /// <summary>Calls since the last look, in order.</summary>
    public string[] Calls
    {
        get
        {
            string log = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)Function("fake_log"))())!;
            ((delegate* unmanaged<void>)Function("fake_clear"))();
            return log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
    }

    /// <summary>What a real driver would not have forgiven.</summary>
    public string Violation => Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)Function("fake_violation"))())!;

    /// <summary>Everything that was made and is not freed.</summary>
    public int Live => Ask("fake_live");

    /// <summary>Kernels that ran.</summary>
    public int Launches => Ask("fake_launches");

    /// <summary>Graphs that ran.</summary>
    public int GraphLaunches => Ask("fake_graph_launches");

    /// <summary>The tensor map that was encoded last.</summary>
    public string LastMap => Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)Function("fake_map"))())!;

    /// <summary>Compiles and loads the driver; ends the test where there is no gcc.</summary>
    /// <param name="isOld">Whether it shall have no tensor maps.</param>
    public static FakeCuda Load(bool isOld = false)
    {
        if (!OperatingSystem.IsLinux() || (isOld ? CompiledOld : Compiled).Value is not { } compiled)
        {
            Assert.Ignore("the driver of this test is in C and needs gcc on Linux");
            throw new InvalidOperationException();
        }
        return new FakeCuda(compiled);
    }

    /// <summary>The device.</summary>
    public CudaDevice Open() => CudaDevice.Open(CudaLibrary.Load(_path), 0);

    /// <summary>Asserts that everything was used as it should be, and is freed.</summary>
    public void AssertClean()
    {
        Assert.That(Violation, Is.Empty);
        Assert.That(Live, Is.Zero, "handles or memory leak");
    }

    /// <summary>Lets a call fail.</summary>
    /// <param name="call">Its name.</param>
    /// <param name="after">How many of them succeed before.</param>
    /// <param name="result">With what it fails.</param>
    public void Fail(string call, int after, int result)
    {
        byte[] name = [.. System.Text.Encoding.UTF8.GetBytes(call), 0];
        fixed (byte* text = name)
        {
            ((delegate* unmanaged<byte*, int, int, void>)Function("fake_fail"))(text, after, result);
        }
    }

    /// <summary>Sets the memory of the device.</summary>
    public void SetCapacity(long bytes) => ((delegate* unmanaged<ulong, void>)Function("fake_capacity"))((ulong)bytes);

    /// <summary>Sets the number of devices.</summary>
    public void SetDevices(int count) => ((delegate* unmanaged<int, void>)Function("fake_devices"))(count);

    public void Dispose()
    {
        // The library stays loaded: finalizers of what a failed test left behind may still call it.
        File.Delete(_path);
    }

    private int Ask(string name) => ((delegate* unmanaged<int>)Function(name))();

    private nint Function(string name) => NativeLibrary.GetExport(_library, name);

    private static string? Compile(params string[] options)
    {
        string source = RepositoryRoot.Combine("Graph.Tests", "Runtime", "Gpu", "fakecuda.c");
        string library = Path.Combine(Directory.CreateTempSubdirectory("graphene-fakecuda").FullName, "libcuda.so");
        try
        {
            using var gcc = Process.Start(new ProcessStartInfo(
                "gcc",
                [
                    "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", .. options, "-shared", "-fPIC", "-o", library,
                    source, "-lpthread",
                ])
            {
                RedirectStandardError = true,
            })!;
            string errors = gcc.StandardError.ReadToEnd();
            gcc.WaitForExit();
            Assert.That(gcc.ExitCode, Is.Zero, errors);
            return library;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
