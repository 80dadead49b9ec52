using Graphene.Cli;
using Graphene.Tests.Cli;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Codegen.Aot;

/// <summary>The samples in C and C++, compiled as their first lines say, classify the demo's 64 digits.</summary>
[TestFixture]
internal sealed class NativeSampleTests : IDisposable
{
    private static readonly string Samples = RepositoryRoot.Combine("tools", "samples", "native");
    private static readonly string Demo = RepositoryRoot.Combine("tools", "cli", "demo");
    private TemporaryFolder _folder = null!;

    [OneTimeSetUp]
    public void CompileTheModel()
    {
        _folder = new TemporaryFolder();
        CliRun run = CliRun.Of("compile", Path.Combine(Demo, "digits.onnx"), "-o", _folder.Combine("digits.o"), "--freestanding");
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
    }

    [OneTimeTearDown]
    public void Dispose() => _folder.Dispose();

    [Test]
    public void CSampleClassifiesDigits()
    {
        string program = CToolchain.BuildC(_folder.Path, "sample", Path.Combine(Samples, "digits.c"), _folder.Combine("digits.o"));
        CheckClasses(CToolchain.Run(program, Path.Combine(Demo, "digits-images.npy")));

        byte[] images = File.ReadAllBytes(Path.Combine(Demo, "digits-images.npy"));
        string pgm = _folder.Combine("seven.pgm");
        File.WriteAllBytes(pgm, [.. "P5\n28 28\n255\n"u8, .. images.AsSpan(images.Length - (64 * 784), 784)]);
        Assert.That(CToolchain.Run(program, pgm), Is.EqualTo("7\n"));
    }

    // What its linker has, a C library, is the program's; the object needs none of it.
    [TestCase("armv7")]
    [TestCase("armv7-neon")]
    public void CSampleClassifiesDigitsOn32BitArm(string target)
    {
        string? compiler = CToolchain.Find("arm-linux-gnueabihf-gcc");
        string? emulator = CToolchain.Find("qemu-arm");
        Assume.That(
            compiler, Is.Not.Null,
            "no arm-linux-gnueabihf-gcc here (apt-get install gcc-arm-linux-gnueabihf libc6-dev-armhf-cross)");
        Assume.That(emulator, Is.Not.Null, "no qemu-arm here (apt-get install qemu-user)");
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of(
            "compile", Path.Combine(Demo, "digits.onnx"), "-o", folder.Combine("digits.o"), "--freestanding", "--target", target);
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        (int exit, string output, string error) = CToolchain.Start(
            compiler!,
            [
                "-std=c99", "-O1", "-static", "-I", folder.Path, "-o", "sample", Path.Combine(Samples, "digits.c"),
                folder.Combine("digits.o"),
            ],
            folder.Path);
        Assert.That(exit, Is.Zero, output + error);
        (exit, output, error) = CToolchain.Start(
            emulator!, [folder.Combine("sample"), Path.Combine(Demo, "digits-images.npy")], folder.Path);
        Assert.That(exit, Is.Zero, error);
        CheckClasses(output);
    }

    [Test]
    public void CppSampleClassifiesDigitsOnThreads() => CheckClasses(CToolchain.Run(
        CToolchain.BuildCpp(_folder.Path, "sample-cpp", Path.Combine(Samples, "digits.cpp"), _folder.Combine("digits.o")),
        Path.Combine(Demo, "digits-images.npy")));

    [Test]
    public void SharedLibraryServesTheSameProgram()
    {
        CToolchain.NeedLinker();
        using var folder = new TemporaryFolder();
        CliRun run = CliRun.Of(
            "compile", Path.Combine(Demo, "digits.onnx"), "-o", folder.Combine("libdigits.so"), "--name", "digits", "--emit", "shared");
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
        File.Copy(folder.Combine("libdigits.h"), folder.Combine("digits.h"));
        string program = CToolchain.BuildC(
            folder.Path, "sample", Path.Combine(Samples, "digits.c"), folder.Combine("libdigits.so"));
        CheckClasses(CToolchain.Run(program, Path.Combine(Demo, "digits-images.npy")));
    }

    // A processor without AVX: what has a variant for it runs, what has none says so.
    [Test]
    public void OldProcessorsRunTheirVariantOrAreRefused()
    {
        string? emulator = CToolchain.Find("qemu-x86_64");
        Assume.That(emulator, Is.Not.Null, "no qemu-x86_64 here; it stands for old processors (apt-get install qemu-user)");
        string program = CToolchain.BuildC(_folder.Path, "any", Path.Combine(Samples, "digits.c"), _folder.Combine("digits.o"));
        string[] arguments = ["-cpu", "qemu64", program, Path.Combine(Demo, "digits-images.npy")];
        (int exit, string output, string error) = CToolchain.Start(emulator!, arguments, _folder.Path);
        Assert.That(exit, Is.Zero, error);
        CheckClasses(output);

        using var folder = new TemporaryFolder();
        CliRun.Of("compile", Path.Combine(Demo, "digits.onnx"), "-o", folder.Combine("digits.o"), "--target", "x86-64-v3");
        arguments[2] = CToolchain.BuildC(folder.Path, "new", Path.Combine(Samples, "digits.c"), folder.Combine("digits.o"));
        (exit, _, error) = CToolchain.Start(emulator!, arguments, folder.Path);
        Assert.That(exit, Is.EqualTo(1));
        Assert.That(error, Does.Contain("the processor lacks instructions"));
    }

    // One of the 64 is misread; the demo says so, too.
    private static void CheckClasses(string output)
    {
        int[] classes = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        byte[] file = File.ReadAllBytes(Path.Combine(Demo, "digits-labels.npy"));
        byte[] labels = file[^64..];
        Assert.That(classes, Has.Length.EqualTo(labels.Length));
        Assert.That(classes.Zip(labels).Count(p => p.First == p.Second), Is.GreaterThanOrEqualTo(labels.Length - 1));
    }
}
