using Graphene.Cli;
using Graphene.Cli.Conformance;
using Graphene.Interop.Onnx;
using Graphene.Tests.Support;
using NUnit.Framework;

namespace Graphene.Tests.Cli;

/// <summary>Public models give their stored outputs through <c>graphene run</c>, within the tolerance of whole models.</summary>
internal sealed class ConformanceModelTests
{
    private const string Folder = "conformance/models";

    /// <summary>What the reference evaluator, which goes through everything element by element, does in a few seconds.</summary>
    public static IReadOnlySet<string> Small { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "byte-bidi-lstm", "deconv-group", "lgbm-regressor", "linear-classifier-ml", "mlnet-twoinput", "mnist-cntk-op8", "qrelu-1",
        "qsigmoid-1", "qtdnn", "xgboost-regressor-ml",
    };

    private static IEnumerable<TestCaseData> Runs()
    {
        if (SharedMaterial.TryLocate(Folder) is not { } folder)
        {
            yield return new TestCaseData("any", 0, "cpu").SetArgDisplayNames("no models here");
            yield break;
        }
        foreach (OnnxCase model in OnnxCase.Find(folder))
        {
            for (int set = 0; set < model.DataSets().Count; set++)
            {
                yield return new TestCaseData(model.Name, set, "cpu");
                if (Small.Contains(model.Name))
                {
                    yield return new TestCaseData(model.Name, set, "reference");
                }
            }
        }
    }

    [TestCaseSource(nameof(Runs))]
    public void RunGivesTheStoredOutputs(string name, int set, string device)
    {
        string folder = Path.Combine(SharedMaterial.Require(Folder), name);
        var model = new OnnxCase(name, folder);
        string data = model.DataSets()[set];
        var args = new List<string> { "run", model.ModelPath, "--device", device };
        using (OnnxModelFile file = OnnxModelFile.Load(model.ModelPath))
        {
            args.AddRange(OnnxImporter.InputNames(file).SelectMany((n, i) => new[] { "--input", $"{n}={data}/input_{i}.pb" }));
            args.AddRange(file.OutputNames.SelectMany((n, i) => new[] { "--expect", $"{n}={data}/output_{i}.pb" }));
        }

        CliRun run = CliRun.Of([.. args]);

        Assert.That(args.Count(a => a == "--expect"), Is.EqualTo(Directory.GetFiles(data, "output_*.pb").Length));
        Assert.That(run.Exit, Is.EqualTo(ExitCode.Success), run.Error);
    }
}
