using System.Security.Cryptography;
using Graphene.Runtime;
using Graphene.Tests.Runtime.Embedding;

namespace Graphene.Tests.Diagnostics;

internal static partial class ErrorExamples
{
    private static IEnumerable<ErrorExample> Bundles() =>
    [
        Of(BundleDiagnostics.Unsigned, () =>
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            byte[] bundle = BundleFixture.Bytes(BundleFixture.Scale(2));
            CompiledGraph.Load(bundle, new CompiledGraphOptions { TrustedKeys = [key.ExportSubjectPublicKeyInfoPem()] });
        }),
        Of(BundleDiagnostics.WrongSigner, () =>
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            byte[] bundle = BundleFixture.Bytes(BundleFixture.Scale(2), key);
            BundleForger.ChangeConstants(bundle);
            CompiledGraph.Load(bundle, new CompiledGraphOptions { TrustedKeys = [key.ExportSubjectPublicKeyInfoPem()] });
        }),
        Of(BundleDiagnostics.BadKey, () =>
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            byte[] bundle = BundleFixture.Bytes(BundleFixture.Scale(2), key);
            CompiledGraph.Load(bundle, new CompiledGraphOptions { TrustedKeys = ["release.pub"] });
        }),
        Of(BundleDiagnostics.UnknownSignature, () =>
        {
            using CompiledGraph graph = CompiledGraph.Load(BundleFixture.ChatBundle);
            graph.Program("encode");
        }),
        Of(BundleDiagnostics.NeedsState, () =>
        {
            using CompiledGraph graph = CompiledGraph.Load(BundleFixture.ChatBundle);
            graph.Program("decode");
        }),
        Of(BundleDiagnostics.Conflict, () =>
        {
            BundleFunction run = BundleFixture.Scale(2).Functions[0];
            BundleFixture.Bytes(new BundleContent { Name = "model", Functions = [run, run] });
        }),
        Of(BundleDiagnostics.BadState, () =>
        {
            using CompiledGraph graph = CompiledGraph.Load(BundleFixture.ChatBundle);
            using GraphState state = graph.CreateState();
            state.Write("calls", Literal.From<float>([1], []));
        }),
    ];
}
